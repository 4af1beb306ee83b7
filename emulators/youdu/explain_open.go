package youdu

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The limits of what is tried for an explanation.
const (
	maxTried = 64 << 10 // bytes of an encrypted text
	mostApps = 64
)

// maker is the type of the rows' functions.
type maker = func(*contract.Call, contract.Verdict) *contract.Explanation

// faultyText returns the text that could not be decrypted, or "" where it is not
// to be tried.
func faultyText(c *contract.Call) string {
	cl := callerOf(c)
	if cl.decryptFault == nil || cl.keyApp == nil || cl.keyApp.block == nil || len(cl.decryptFault.text) > maxTried {
		return ""
	}
	return cl.decryptFault.text
}

// likelyApps are the applications whose keys and ids the client may have used.
func (cl *caller) likelyApps() []app { return cl.apps[:min(len(cl.apps), mostApps)] }

// isMessage reports whether a text is what a call encrypts: an object, or a time.
func isMessage(text []byte) bool {
	if len(text) == 0 || len(text) > maxTried {
		return false
	}
	_, err := wire.Object(text)
	return err == nil || isDigits(string(text))
}

// findPlain finds a message that was not encrypted.
func findPlain(c *contract.Call, v contract.Verdict) *contract.Explanation {
	if name, given := v.Facts.Get("Name"); given && name != "encrypt" {
		return nil
	}
	_, object := callerOf(c).envelope["encrypt"].(contract.Values)
	if !object && !isMessage([]byte(strings.TrimSpace(faultyText(c)))) {
		return nil
	}
	return contract.Found()
}

// reopened tries whether the key opens the text once it is written in another way.
func reopened(rewrite func(string) string) maker {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		text := faultyText(c)
		other := rewrite(text)
		if text == "" || other == text {
			return nil
		}
		if _, fault := callerOf(c).keyApp.open("it", other, false); fault != nil {
			return nil
		}
		return contract.Found()
	}
}

func padded(text string) string { return text + strings.Repeat("=", (4-len(text)%4)%4) }

func standardAlphabet(text string) string {
	if !strings.ContainsAny(text, "-_") {
		return text
	}
	return padded(strings.NewReplacer("-", "+", "_", "/").Replace(text))
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func hexToBase64(text string) string {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return text
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func decodedOnce(text string) string {
	raw, err := strictBase64.DecodeString(text)
	if err != nil {
		return text
	}
	return string(raw)
}

// findOtherKey finds the application whose key opens the envelope.
func findOtherKey(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl, text := callerOf(c), faultyText(c)
	if text == "" {
		return nil
	}
	for _, a := range cl.likelyApps() {
		if a.AESKey == cl.keyApp.AESKey || a.block == nil {
			continue
		}
		if _, fault := a.open("it", text, false); fault == nil {
			return &contract.Explanation{
				Facts:           contract.Facts{{Name: "owner", Value: a.AppID}, {Name: "appId", Value: cl.keyApp.AppID}},
				FirstDifference: "the key: the EncodingAESKey of " + a.AppID + " opens the envelope",
				Keys:            []string{a.AESKey},
			}
		}
	}
	return nil
}

// ciphertext returns the bytes of the text, if they are whole blocks.
func ciphertext(c *contract.Call) []byte {
	raw, err := strictBase64.DecodeString(faultyText(c))
	if err != nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil
	}
	return raw
}

// underKey tries other keys, which are made of the EncodingAESKey.
func underKey(keys func(aesKey string) [][]byte) maker {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		raw := ciphertext(c)
		if raw == nil {
			return nil
		}
		a := callerOf(c).keyApp
		for _, key := range keys(a.AESKey) {
			block, err := aes.NewCipher(key)
			if err != nil {
				continue
			}
			plain := make([]byte, len(raw))
			cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, raw)
			if a.laidOut(plain) {
				return contract.Found("bytes", len(key))
			}
		}
		return nil
	}
}

// undecodedKey are the first 32 and 16 characters of an EncodingAESKey.
func undecodedKey(aesKey string) [][]byte {
	if len(aesKey) < keySize {
		return nil
	}
	return [][]byte{[]byte(aesKey[:keySize]), []byte(aesKey[:aes.BlockSize])}
}

// shortKeys are the halves of the key, and its first 24 bytes.
func shortKeys(aesKey string) [][]byte {
	key, err := strictBase64.DecodeString(aesKey)
	if err != nil || len(key) != keySize {
		return nil
	}
	return [][]byte{key[:16], key[:24], key[16:]}
}

// findECB finds a text whose blocks were encrypted one by one.
func findECB(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	raw := ciphertext(c)
	if raw == nil {
		return nil
	}
	a := callerOf(c).keyApp
	for at := 0; at < len(raw); at += aes.BlockSize {
		a.block.Decrypt(raw[at:], raw[at:])
	}
	if !a.laidOut(raw) {
		return nil
	}
	return contract.Found()
}

// laidOut reports whether a decrypted text is laid out as documented, padded to 32
// or to 16.
func (a *app) laidOut(plain []byte) bool {
	text := withoutPadding(plain)
	_, tail, ok := parts(text)
	return ok && tail == a.AppID
}

// withoutPadding removes n bytes of value n, n from 1 to 32, or returns nil where
// there are none.
func withoutPadding(plain []byte) []byte {
	if len(plain) == 0 {
		return nil
	}
	n := int(plain[len(plain)-1])
	if n == 0 || n > padBlock || n > len(plain) || bytes.Count(plain[len(plain)-n:], []byte{byte(n)}) != n {
		return nil
	}
	return plain[:len(plain)-n]
}

// parts takes a text without its padding apart.
func parts(text []byte) (message []byte, tail string, ok bool) {
	if len(text) < headSize {
		return nil, "", false
	}
	size, rest := binary.BigEndian.Uint32(text[prefixSize:headSize]), text[headSize:]
	if uint64(size) > uint64(len(rest)) {
		return nil, "", false
	}
	return rest[:size], string(rest[size:]), true
}

// laidOutAs tries whether the decrypted text, padding included, is laid out in
// another way.
func laidOutAs(fits func(a *app, plain []byte) bool) maker {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		plain, a := ciphertext(c), callerOf(c).keyApp
		if plain == nil {
			return nil
		}
		cipher.NewCBCDecrypter(a.block, a.iv).CryptBlocks(plain, plain)
		if !fits(a, plain) {
			return nil
		}
		return contract.Found()
	}
}

func paddedTo16(a *app, plain []byte) bool { return len(plain)%padBlock != 0 && a.laidOut(plain) }

func paddedWithZeros(a *app, plain []byte) bool {
	text := bytes.TrimRight(plain, "\x00")
	_, tail, ok := parts(text)
	return ok && len(text) < len(plain) && tail == a.AppID
}

func unpaddedLayout(a *app, plain []byte) bool {
	_, tail, ok := parts(plain)
	return ok && tail == a.AppID
}

func withoutPrefix(a *app, plain []byte) bool {
	_, tail, ok := parts(append(make([]byte, prefixSize), withoutPadding(plain)...))
	return ok && tail == a.AppID
}

func withoutLength(a *app, plain []byte) bool {
	text := withoutPadding(plain)
	if len(text) < prefixSize {
		return false
	}
	message, found := bytes.CutSuffix(text[prefixSize:], []byte(a.AppID))
	return found && isMessage(message)
}

// afterHead returns what stands behind prefix and length, and the length.
func afterHead(plain []byte) (rest, length []byte) {
	text := withoutPadding(plain)
	if len(text) < headSize {
		return nil, nil
	}
	return text[headSize:], text[prefixSize:headSize]
}

func littleEndian(a *app, plain []byte) bool {
	rest, length := afterHead(plain)
	return rest != nil && uint64(binary.LittleEndian.Uint32(length))+uint64(len(a.AppID)) == uint64(len(rest)) && bytes.HasSuffix(rest, []byte(a.AppID))
}

func lengthWithTail(a *app, plain []byte) bool {
	rest, length := afterHead(plain)
	return rest != nil && uint64(binary.BigEndian.Uint32(length)) == uint64(len(rest)) && bytes.HasSuffix(rest, []byte(a.AppID))
}

func lengthInCharacters(a *app, plain []byte) bool {
	rest, length := afterHead(plain)
	message, found := bytes.CutSuffix(rest, []byte(a.AppID))
	if !found || !utf8.Valid(message) {
		return false
	}
	characters := utf8.RuneCount(message)
	n := int64(binary.BigEndian.Uint32(length))
	return characters != len(message) && (n == int64(characters) || n == int64(len(utf16.Encode([]rune(string(message))))))
}

func withoutTail(_ *app, plain []byte) bool {
	message, tail, ok := parts(withoutPadding(plain))
	return ok && tail == "" && isMessage(message)
}

func tailIsBuin(a *app, plain []byte) bool {
	_, tail, ok := parts(withoutPadding(plain))
	return ok && tail == strconv.FormatInt(a.Buin, 10)
}

func messageAlone(_ *app, plain []byte) bool { return isMessage(withoutPadding(plain)) }

// findOtherTail finds the id of another application behind the message.
func findOtherTail(c *contract.Call, _ contract.Verdict) *contract.Explanation {
	cl, plain := callerOf(c), ciphertext(c)
	if plain == nil {
		return nil
	}
	cipher.NewCBCDecrypter(cl.keyApp.block, cl.keyApp.iv).CryptBlocks(plain, plain)
	_, tail, ok := parts(withoutPadding(plain))
	for _, a := range cl.likelyApps() {
		if ok && a.AppID == tail && tail != cl.keyApp.AppID {
			return contract.Found("owner", tail, "appId", cl.keyApp.AppID)
		}
	}
	return nil
}
