package youdu

import (
	"github.com/understudy-suite/understudy/internal/contract"
)

// A situation is a fault in the parameters of a call. For most situations no page
// has the code, and no answer of a real server is public: the outcome is our
// guess, and a row of the fixture's list codes changes it.
type situation struct {
	name    string
	outcome *contract.Outcome // unless the fixture's list codes has another
	cause   *contract.Cause
}

// newSituation makes a situation. Its name is also the code of its cause.
func newSituation(name string, o *contract.Outcome, text string) *situation {
	return &situation{name, o, &contract.Cause{Code: name, Text: text + " The fixture's list codes can set another error for this."}}
}

// The situations, in the order in which calls are checked for them.
var (
	timeTooFarOff      = newSituation("stale_time", badRequest, "The encrypted time is {got}, the server's {now}; the switch strict_time allows {most} seconds between them.")
	missingValue       = newSituation("lacking", invalidRequest, "{Name} is missing or empty, and the call needs it.")
	titleTooLong       = newSituation("title_too_long", invalidRequest, "The title has {got} characters and may have {most}.")
	creatorTooLong     = newSituation("creator_too_long", accountTooLong, "The creator has {got} characters and may have {most}.")
	unknownSessionType = newSituation("type_unsupported", invalidRequest, "The type is {got}; multi, null or none was expected.")
	tooFewMembers      = newSituation("too_few_members", invalidRequest, "The creator and the members are {got} different accounts ({members}); a session has at least {least}.")
	tooManyMembers     = newSituation("too_many_members", invalidRequest, "The session would have {got} members; the switch max_members allows {most}.")
	unknownAccount     = newSituation("account_unknown", userNotExist, "{Name} names the account {got}, which the fixture does not list or lists as disabled.")
	unknownSession     = newSituation("session_unknown", illegalAccess, "There is no session {got}. Ids are those that CreateSession returned, braces and capitals included, or of the fixture's list sessions.")
	notMember          = newSituation("not_a_member", noRight, "{Name} is {got}, who is no member of the session; its members: {members}.")
	notOwner           = newSituation("not_the_owner", noRight, "{got} would remove others, and the switch owner_only_delete leaves that to the owner {owner}.")
	noMemberLeft       = newSituation("last_member", invalidRequest, "Nobody would be left in the session.")
	unknownMessageType = newSituation("message_unsupported", invalidRequest, "The msgType is {got}; one of text, image, file, voice and video was expected.")
	unknownReceiver    = newSituation("receiver_unknown", invalidReceiver, "There is no account {got} that could receive the message.")
	unknownMedia       = newSituation("media_unknown", fileNotExist, "There is no file {got}. Ids are those that UploadMedia returned, or of the fixture's list media.")
	unknownFileType    = newSituation("file_type_unsupported", invalidFileType, "The type of the file is {got}; one of image, file, voice and video was expected.")
)

var situations = []*situation{
	timeTooFarOff, missingValue, titleTooLong, creatorTooLong, unknownSessionType, tooFewMembers, tooManyMembers, unknownAccount, unknownSession, notMember,
	notOwner, noMemberLeft, unknownMessageType, unknownReceiver, unknownMedia, unknownFileType,
}

// situationNames lists the names of the situations.
func situationNames() []string {
	names := make([]string, len(situations))
	for i, s := range situations {
		names[i] = s.name
	}
	return names
}

// refuse ends a call with the outcome of a situation. Names and values of facts
// alternate.
func (st *state) refuse(s *situation, facts ...any) contract.Verdict {
	o := s.outcome
	if name, changed := st.Codes[s.name]; changed {
		o = documentedError(name)
	}
	return o.Because(s.cause, facts...)
}
