package adobepass_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// A watchedMethod is RS256 that reports each verification.
type watchedMethod struct {
	*jwt.SigningMethodRSA
	onVerify func(signed string)
}

func (m watchedMethod) Verify(signed string, signature []byte, key any) error {
	m.onVerify(signed)
	return m.SigningMethodRSA.Verify(signed, signature, key)
}

// While the signature of a new token is verified, the state is unlocked: another
// call to the same sandbox is answered. A known token is not verified again.
func TestVerificationIsOutsideTheLock(t *testing.T) {
	d := newDevice(t, conformance.Setting{})
	fresh := d.register()
	service := serviceToken(t, "somebody", testKey(t, "service-token"))
	var verifications atomic.Int32
	jwt.RegisterSigningMethod("RS256", func() jwt.SigningMethod {
		return watchedMethod{jwt.SigningMethodRS256, func(signed string) {
			if !strings.HasPrefix(fresh.token, signed) && !strings.HasPrefix(service, signed) {
				return // a token of a parallel test
			}
			verifications.Add(1)
			answered := make(chan int, 1)
			go func() { answered <- d.post(sessionsAt, complete).status }()
			select {
			case status := <-answered:
				if status != http.StatusOK {
					t.Errorf("the other call was answered with %d", status)
				}
			case <-time.After(5 * time.Second):
				t.Error("another call is not answered while a signature is verified")
			}
		}}
	})
	t.Cleanup(func() {
		jwt.RegisterSigningMethod("RS256", func() jwt.SigningMethod { return jwt.SigningMethodRS256 })
	})
	for range 3 {
		fresh.post(sessionsAt, complete).expect("create", 200, "actionName", "authenticate")
	}
	if n := verifications.Load(); n != 1 {
		t.Errorf("the access token's signature was verified %d times", n)
	}
	fresh.withHeader("Ad-Service-Token", service).post(sessionsAt, complete).expect("create", 200)
	if n := verifications.Load(); n != 2 {
		t.Errorf("the service token's signature was verified %d times in total, want 2", n)
	}
}
