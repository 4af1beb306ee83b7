package youdu

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The layout of the plain text: 16 random bytes, the message's length in 4 bytes,
// the message, the appId, and padding to a multiple of 32. (The page calls it
// PKCS5Padding and gives the multiple a line later.)
const (
	prefixSize = 16
	headSize   = prefixSize + 4
	padBlock   = 32
	keySize    = 32
)

// strictBase64 is the alphabet that libraries use. The decoder skips line breaks,
// so decrypt refuses them itself.
var strictBase64 = base64.StdEncoding.Strict()

// A decryptFault is the step at which an envelope could not be decrypted.
type decryptFault struct {
	cause *contract.Cause
	facts []any  // names and values alternate
	text  string // the encrypted text
}

// verdict refuses the call with the cause.
func (f *decryptFault) verdict() contract.Verdict { return invalidEncrypt.Because(f.cause, f.facts...) }

// The steps of decryption, each with its own cause.
var (
	noKey      = &contract.Cause{Code: "envelope_key", Text: "Step 0, key: no application is known whose EncodingAESKey could open the envelope."}
	notBase64  = &contract.Cause{Code: "envelope_base64", Text: "Step 1, base64: {what} is not strict standard base64: {why}. Expected are A-Z a-z 0-9 + / with = padding and no line breaks."}
	badLength  = &contract.Cause{Code: "envelope_length", Text: "Step 2, length: {what} decodes to {bytes} bytes; a multiple of 32, and at least 32, was expected. Pad to 32 bytes, not to the 16 of AES."}
	badPadding = &contract.Cause{Code: "envelope_padding", Text: "Step 3, padding: the last byte of the decrypted text is {last}, and n bytes of value n, n from 1 to 32, were expected at its end. The usual reason is another AES key, or a PKCS padding to 16."}
	tooShort   = &contract.Cause{Code: "envelope_head", Text: "Step 4, head: {bytes} bytes are left without the padding; 20 were expected at least, 16 of prefix and 4 of length."}
	badSize    = &contract.Cause{Code: "envelope_size", Text: "Step 5, message: its length field says {size} bytes and {bytes} follow. It has 4 bytes, big-endian, and counts the bytes of the message without the appId."}
	wrongTail  = &contract.Cause{Code: "envelope_tail", Text: "Step 6, appId: the text ends in {tail} behind the message; {appId}, the appId of the envelope, was expected."}
)

// newCipher makes the cipher of an EncodingAESKey. Applications keep it: expanding
// the key costs more than encrypting a short message.
func newCipher(aesKey string) (block cipher.Block, iv []byte, err error) {
	key, err := strictBase64.DecodeString(aesKey)
	if err != nil {
		return nil, nil, fmt.Errorf("the EncodingAESKey is no base64: %w", err)
	}
	if len(key) != keySize {
		return nil, nil, fmt.Errorf("the EncodingAESKey decodes to %d bytes; base64 of %d bytes was expected", len(key), keySize)
	}
	block, err = aes.NewCipher(key)
	return block, key[:aes.BlockSize], err
}

// encryptBlocks encrypts whole blocks in place by CBC. (cipher.NewCBCEncrypter copies the
// expanded key for each message, which is more than most messages have.)
func (a *app) encryptBlocks(b []byte) {
	before := a.iv
	for at := 0; at < len(b); at += aes.BlockSize {
		one := b[at : at+aes.BlockSize]
		subtle.XORBytes(one, one, before)
		a.block.Encrypt(one, one)
		before = one
	}
}

// decryptBlocks undoes encryptBlocks, the last block first, since each needs the one before
// as it was.
func (a *app) decryptBlocks(b []byte) {
	for at := len(b) - aes.BlockSize; at >= 0; at -= aes.BlockSize {
		one, before := b[at:at+aes.BlockSize], a.iv
		if at > 0 {
			before = b[at-aes.BlockSize : at]
		}
		a.block.Decrypt(one, one)
		subtle.XORBytes(one, one, before)
	}
}

// open decrypts the text of an envelope. It ignores the 16 bytes before the
// length: some libraries encrypt with an IV of their own that they do not send,
// which changes only these bytes. Each length is checked before it is used. field
// names the field in explanations; with verifyTail, the appId behind the message
// has to be the application's.
func (a *app) open(field, text string, verifyTail bool) ([]byte, *decryptFault) {
	message, fault := a.decrypt(field, text, verifyTail)
	if fault != nil {
		fault.text = text
	}
	return message, fault
}

// decrypt does the steps of open.
func (a *app) decrypt(field, text string, verifyTail bool) ([]byte, *decryptFault) {
	if at := strings.IndexAny(text, "\r\n"); at >= 0 {
		return nil, &decryptFault{cause: notBase64, facts: []any{"what", field, "why", fmt.Sprintf("a line break at byte %d", at)}}
	}
	plain, err := strictBase64.DecodeString(text)
	if err != nil {
		return nil, &decryptFault{cause: notBase64, facts: []any{"what", field, "why", err.Error()}}
	}
	if len(plain) == 0 || len(plain)%padBlock != 0 {
		return nil, &decryptFault{cause: badLength, facts: []any{"what", field, "bytes", len(plain)}}
	}
	a.decryptBlocks(plain)
	pad, valid := readPadding(plain)
	if !valid {
		return nil, &decryptFault{cause: badPadding, facts: []any{"what", field, "last", pad}}
	}
	plain = plain[:len(plain)-pad]
	if len(plain) < headSize {
		return nil, &decryptFault{cause: tooShort, facts: []any{"what", field, "bytes", len(plain)}}
	}
	size, rest := binary.BigEndian.Uint32(plain[prefixSize:headSize]), plain[headSize:]
	if uint64(size) > uint64(len(rest)) {
		return nil, &decryptFault{cause: badSize, facts: []any{"what", field, "size", size, "bytes", len(rest)}}
	}
	message, end := rest[:size], rest[size:]
	if verifyTail && subtle.ConstantTimeCompare(end, []byte(a.AppID)) == 0 {
		return nil, &decryptFault{cause: wrongTail, facts: []any{"what", field, "tail", fmt.Sprintf("%.80q", end), "appId", a.AppID}}
	}
	return message, nil
}

// readPadding reads the padding at the end of plain, which has 32 bytes or more,
// and reports whether it is valid. It reads all 32 bytes in any case, so that the
// time does not depend on them.
func readPadding(plain []byte) (pad int, valid bool) {
	last := plain[len(plain)-1]
	pad = int(last)
	good := subtle.ConstantTimeLessOrEq(1, pad) & subtle.ConstantTimeLessOrEq(pad, padBlock)
	for i := 1; i <= padBlock; i++ {
		same := subtle.ConstantTimeByteEq(plain[len(plain)-i], last)
		good &= same | subtle.ConstantTimeLessOrEq(pad+1, i)
	}
	return pad, good == 1
}

// seal encrypts a message and appends the base64 text to dst.
func (a *app) seal(dst []byte, prefix [prefixSize]byte, message []byte) []byte {
	size := headSize + len(message) + len(a.AppID)
	pad := padBlock - size%padBlock
	plain := make([]byte, 0, size+pad)
	plain = append(plain, prefix[:]...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message)))
	plain = append(plain, message...)
	plain = append(plain, a.AppID...)
	for range pad {
		plain = append(plain, byte(pad))
	}
	a.encryptBlocks(plain)
	return base64.StdEncoding.AppendEncode(dst, plain)
}

// sealedSize is the number of bytes that seal appends.
func (a *app) sealedSize(message []byte) int {
	size := headSize + len(message) + len(a.AppID)
	return base64.StdEncoding.EncodedLen(size + padBlock - size%padBlock)
}

// letters are the characters of prefixes and nonces. (The C# library splits a
// callback's query at = and &.)
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newPrefix makes the 16 random bytes before a message.
func newPrefix(dice *contract.Dice) (p [prefixSize]byte) {
	_, _ = dice.Read(p[:]) // it never fails
	toLetters(p[:])
	return p
}

// toLetters replaces each byte by a letter.
func toLetters(p []byte) {
	for i, b := range p {
		p[i] = letters[int(b)%len(letters)]
	}
}
