package tencentcar

import "crypto/sha256"

// A macKey is a key of HMAC-SHA256, as the blocks with which the inner and the outer hash
// begin: they are the same for every text.
type macKey struct{ inner, outer [sha256.BlockSize]byte }

func newMACKey(key []byte) (k macKey) {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	copy(k.inner[:], key)
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum is the HMAC-SHA256 of text.
func (k *macKey) sum(text []byte) [sha256.Size]byte {
	var room [512]byte // for all texts that are signed, so that none costs memory of its own
	inner := sha256.Sum256(append(append(room[:0], k.inner[:]...), text...))
	return sha256.Sum256(append(append(room[:0], k.outer[:]...), inner[:]...))
}

// hmacSHA256 is the HMAC-SHA256 of text under key.
func hmacSHA256(key, text []byte) []byte {
	k := newMACKey(key)
	sum := k.sum(text)
	return sum[:]
}
