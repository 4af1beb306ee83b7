package control

import (
	"cmp"
	"net/http"

	"github.com/understudy-suite/understudy/internal/hostfile"
)

// getHosts answers with the documented hosts in a form.
func (s *Server) getHosts(a *request) (any, error) {
	text, err := hostfile.Text(s.config.APIs, cmp.Or(a.query["for"], hostfile.Forms[0]), a.query["address"])
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	return textAnswer{text: text}, nil
}
