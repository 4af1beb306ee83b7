package probe

import "testing"

// What the command judges differently, or would refuse, is left to it.
func TestFind(t *testing.T) {
	t.Parallel()
	const left = "left to the command"
	for _, c := range []struct {
		name string
		args []string
		vars map[string]string
		want string
	}{
		{"nothing named", []string{"health"}, nil, "http://127.0.0.1:6400"},
		{"port", []string{"health"}, map[string]string{"UNDERSTUDY_CONTROL_PORT": "7000"}, "http://127.0.0.1:7000"},
		{"useless port", []string{"health"}, map[string]string{"UNDERSTUDY_CONTROL_PORT": "0"}, "http://127.0.0.1:6400"},
		{"port out of range", []string{"health"}, map[string]string{"UNDERSTUDY_CONTROL_PORT": "65536"}, left},
		{"address before port", []string{"health"}, map[string]string{"UNDERSTUDY_CONTROL": "http://10.0.0.1:80", "UNDERSTUDY_CONTROL_PORT": "7000"}, "http://10.0.0.1:80"},
		{"flag before both", []string{"health", "--control", "http://10.0.0.2:81"}, map[string]string{"UNDERSTUDY_CONTROL": "http://10.0.0.1:80"}, "http://10.0.0.2:81"},
		{"flag in one", []string{"health", "--control=http://10.0.0.2:81"}, nil, "http://10.0.0.2:81"},
		{"flag without value", []string{"health", "--control"}, nil, left},
		{"empty flag", []string{"health", "--control="}, nil, left},
		{"flag twice", []string{"health", "--control=http://10.0.0.2:81", "--control=http://10.0.0.2:82"}, nil, left},
		{"a host's name", []string{"health", "--control", "http://localhost:6400"}, nil, left},
		{"IPv6", []string{"health", "--control", "http://[::1]:6400"}, nil, left},
		{"TLS", []string{"health", "--control", "https://127.0.0.1:6400"}, nil, left},
		{"no scheme", []string{"health", "--control", "127.0.0.1:6400"}, nil, left},
		{"no port", []string{"health", "--control", "http://127.0.0.1"}, nil, left},
		{"a path", []string{"health", "--control", "http://127.0.0.1:6400/x"}, nil, left},
		{"five parts", []string{"health", "--control", "http://127.0.0.1.1:6400"}, nil, left},
		{"leading zero", []string{"health", "--control", "http://127.0.0.01:6400"}, nil, left},
		{"waiting", []string{"health", "--wait", "1s"}, nil, left},
		{"waiting by variable", []string{"health"}, map[string]string{"UNDERSTUDY_WAIT": "1s"}, left},
		{"help", []string{"health", "--help"}, nil, left},
		{"an argument", []string{"health", "now"}, nil, left},
		{"another command", []string{"version"}, nil, left},
		{"no command", nil, nil, left},
	} {
		got := left
		if to, ok := find(c.args, func(name string) (string, bool) { v, ok := c.vars[name]; return v, ok }); ok {
			got = to.base()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
