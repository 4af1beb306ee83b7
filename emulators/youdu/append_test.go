package youdu

import (
	"bytes"
	"crypto/cipher"
	"net/url"
	"reflect"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Answers that encode themselves are written as their structs say.
func TestAnswersEncodeThemselves(t *testing.T) {
	t.Parallel()
	type sessionAsDeclared sessionReply // without methods
	type tokenAsDeclared tokenReply
	for _, r := range []sessionReply{
		{},
		{Member: []string{}},
		{exampleSession, "测试创建会话", `"<&>"`, 1 << 60, multi, []string{"test1", "名"}, 1700000000, -1},
	} {
		declared := sessionAsDeclared(r)
		if got, want := wire.Encode(&r), wire.Encode(&declared); string(got) != string(want) {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
	r := tokenReply{lastingToken, tokenLife}
	declared := tokenAsDeclared(r)
	if got, want := wire.Encode(&r), wire.Encode(&declared); string(got) != string(want) {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// Blocks are encrypted and decrypted as the standard library does it.
func TestBlocksAreThoseOfCBC(t *testing.T) {
	t.Parallel()
	a := app{}
	var err error
	if a.block, a.iv, err = newCipher("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="); err != nil {
		t.Fatal(err)
	}
	for _, blocks := range []int{0, 1, 2, 7} {
		plain := bytes.Repeat([]byte("0123456789abcdef"), blocks)
		want, got := bytes.Clone(plain), bytes.Clone(plain)
		cipher.NewCBCEncrypter(a.block, a.iv).CryptBlocks(want, want)
		if a.encryptBlocks(got); !bytes.Equal(got, want) {
			t.Errorf("%d blocks: got %x, want %x", blocks, got, want)
		}
		if a.decryptBlocks(got); !bytes.Equal(got, plain) {
			t.Errorf("%d blocks were decrypted to %q", blocks, got)
		}
	}
}

// What identifiers has parsed is what the checks would have parsed themselves.
func TestBodiesAreParsedOnce(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"buin":14797363,"appId":"a","encrypt":"x"}`, `{"BUIN":1,"appid":"a","encrypt":null}`, `[]`, `{`, ``} {
		first := &contract.Request{Method: "POST", URL: &url.URL{}, Body: []byte(body)}
		again := *first
		identifiers(first)
		var parsed, anew caller
		parsed.readBody(first)
		anew.readBody(&again)
		if !reflect.DeepEqual(parsed.postedBody, anew.postedBody) {
			t.Errorf("%s: got %v after identifiers, and %v without", body, parsed.postedBody, anew.postedBody)
		}
	}
}
