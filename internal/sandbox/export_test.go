package sandbox

// MoveWaits reports whether somebody moves the clock or waits to do so.
func (s *Sandbox) MoveWaits() bool {
	if s.moment.TryRLock() {
		s.moment.RUnlock()
		return false
	}
	return true
}
