//go:build race

package journal_test

// raced says that pools drop objects at random.
const raced = true
