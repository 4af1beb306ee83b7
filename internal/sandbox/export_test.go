package sandbox

// MoveWaits reports whether somebody moves the clock or waits to do so.
func (s *Sandbox) MoveWaits() bool {
	if s.moment.TryRLock() {
		s.moment.RUnlock()
		return false
	}
	return true
}

// Discard is what Make does with a sandbox of which not all could be made.
func (r *Registry) Discard(s *Sandbox) { r.discard(s) }
