package adobepass_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// documented are the enhanced error codes of the page, by action and status.
var documented = map[string][]string{
	"none 400": {
		"invalid_parameter_service_provider", "invalid_parameter_mvpd", "invalid_parameter_code", "invalid_parameter_resources",
		"invalid_parameter_redirect_url", "invalid_parameter_partner", "invalid_parameter_saml_response", "invalid_header_device_info",
		"invalid_header_device_identifier", "invalid_header_identity_for_temporary_access", "invalid_header_pfs_permission_access_not_present",
		"invalid_header_pfs_permission_access_not_determined", "invalid_header_pfs_permission_access_not_granted",
		"invalid_header_pfs_provider_id_not_determined", "invalid_header_pfs_provider_id_mismatch", "invalid_header_pfs_provider_info_expired",
		"invalid_integration", "invalid_authentication_session",
	},
	"none 403": {
		"preauthorization_denied_by_mvpd", "authorization_denied_by_mvpd", "authorization_denied_by_parental_controls",
		"authorization_denied_by_degradation_rule",
	},
	"none 500":          {"internal_server_error"},
	"configuration 403": {"too_many_resources"},
	"configuration 500": {
		"invalid_configuration_user_metadata_certificate", "invalid_configuration_temporary_access", "invalid_configuration_platform",
		"invalid_configuration_platform_id", "invalid_configuration_platform_trait", "invalid_configuration_platform_category_trait",
		"invalid_configuration_platform_services", "invalid_configuration_mvpd_platform", "invalid_configuration_mvpd_platform_boarding_status",
		"invalid_configuration_mvpd_platform_profile_exchange",
	},
	"application-registration 401": {"invalid_access_token_service_provider", "invalid_access_token_client_application"},
	"authentication 403": {
		"authenticated_profile_missing", "authenticated_profile_expired", "authenticated_profile_invalidated",
		"temporary_access_duration_limit_exceeded", "temporary_access_resources_limit_exceeded", "authorization_denied_by_hba_policies",
		"authorization_denied_by_session_invalidated", "identity_not_recognized_by_mvpd",
	},
	"retry 403": {"network_received_error", "network_connection_timeout", "maximum_execution_time_exceeded"},
}

// TestCatalogue forces every documented code wherever it is an outcome: as the
// body of the answer, or as the error of each decision of a 200.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	n := 0
	for kind, codes := range documented {
		action, status, _ := strings.Cut(kind, " ")
		for _, code := range codes {
			n++
			called := 0
			for _, op := range adobepass.API.Operations {
				i := slices.IndexFunc(adobepass.API.Ends(op), func(o *contract.Outcome) bool { return o.Name == code })
				if i < 0 || op.Helper || op.Name == "Authenticate" {
					continue
				}
				called++
				o := adobepass.API.Ends(op)[i]
				r := d.world.Request(t, op, contract.Sample(op.Params))
				r.Header.Set("Understudy-Outcome", code)
				a := d.send(r)
				at := ""
				if !o.Fails {
					at = "decisions.0.error."
				}
				a.expect(op.Name+"/"+code, o.Status, at+"code", code, at+"action", action, at+"status", status)
				if o.Fails && fmt.Sprint(a.status) != status {
					t.Errorf("%s/%s: got status %d, want %s", op.Name, code, a.status, status)
				}
				if message := a.value(at + "message"); message == "-" || message == "" {
					t.Errorf("%s/%s: no message in %s", op.Name, code, a.body)
				}
			}
			if called == 0 {
				t.Errorf("no operation has the outcome %s", code)
			}
		}
	}
	if n != 47 {
		t.Errorf("got %d codes, and the page has 47", n)
	}
}
