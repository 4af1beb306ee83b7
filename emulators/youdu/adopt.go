package youdu

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// adopts are the identifiers that an enterprise's administrators give.
var adopts = []contract.Adoptable{
	{
		What: "appId", Routes: true, Take: takeApp, Rows: appRows, Example: "14797363/ydA1B2C3D4E5F60718293A4B5C6D7E8F90",
		Doc: "An application of an enterprise, told as buin/appId: as the first one, with its aesKey. What a client encrypts with another key cannot be read.",
		Mend: "What is encrypted under another aesKey cannot be read in any mode. Start with --credentials env and the client's own YOUDU_BUIN, YOUDU_APP_ID and YOUDU_AES_KEY in the environment, " +
			"or with a fixture that has its aesKey; with --auth off, plain JSON in the place of what is encrypted is read, too.",
	},
	{What: "account", Take: takeAccount, Rows: accountRows, Example: "test1", Doc: "A person of the enterprise, by the account as the name."},
}

// adoptAccounts has the people adopted whom a call names.
func adoptAccounts(c *contract.Call) contract.Verdict {
	if c.Unknown != contract.Adopt {
		return contract.Verdict{}
	}
	c.WithState(func() {
		st := c.State.(*state)
		adopt := func(name string) {
			if st.accounts[name] == nil && utf8.RuneCountInString(name) <= maxAccount {
				c.Adopt("account", name)
			}
		}
		for _, role := range [...]string{"creator", "opUser", "sender", "receiver"} {
			adopt(c.In.Text(role))
		}
		for _, list := range [...]string{"member", "addMember"} {
			for _, name := range c.In.Texts(list) {
				adopt(name)
			}
		}
	})
	return contract.Verdict{}
}

// adoptApp has the application adopted that the envelope names.
func (cl *caller) adoptApp(c *contract.Call, buin int64) {
	id := cl.envelope.Text("appId")
	if cl.app == nil && id != "" && c.Adopt("appId", appIdentifier(buin, id)) {
		cl.app, cl.buinKnown = c.State.(*state).apps[appKey{buin, id}], true
	}
}

// appOf reads an application as an envelope names it.
func appOf(identifier string) (appKey, bool) {
	number, id, _ := strings.Cut(identifier, "/")
	buin, err := strconv.ParseInt(number, 10, 64)
	return appKey{buin, id}, err == nil && id != ""
}

func takeApp(c *contract.Call, identifier string) bool {
	st := c.State.(*state)
	key, is := appOf(identifier)
	first := st.firstApp()
	if first == nil || !is {
		return false
	}
	taken := *first
	taken.Buin, taken.AppID = key.buin, key.appID
	st.Apps = append(st.Apps, taken) // pointers to the others stay good: apps are never written
	st.apps[key], st.buins[key.buin] = &taken, true
	return true
}

func appRows(s contract.State, identifier string) contract.Values {
	key, _ := appOf(identifier)
	a := s.(*state).apps[key]
	if a == nil {
		return nil
	}
	row := contract.Values{
		"buin": a.Buin, "appId": a.AppID, "aesKey": a.AESKey, "disabled": a.Disabled,
		"callback_url": a.CallbackURL, "callback_token": a.CallbackToken,
	}
	if a.NoSession {
		row["session"] = false
	}
	return contract.Values{"apps": []any{row}}
}

func takeAccount(c *contract.Call, name string) bool {
	st := c.State.(*state)
	st.Accounts = append(st.Accounts, account{Account: name, Name: name})
	for i := range st.Accounts { // the list may stand elsewhere now
		st.accounts[st.Accounts[i].Account] = &st.Accounts[i]
	}
	return true
}

func accountRows(s contract.State, name string) contract.Values {
	a := s.(*state).accounts[name]
	if a == nil {
		return nil
	}
	return contract.Values{"accounts": []any{contract.Values{"account": a.Account, "name": a.Name, "disabled": a.Disabled}}}
}
