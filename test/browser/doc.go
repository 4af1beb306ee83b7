// Package browser drives the pages that people see in a headless Chromium, with
// an application on another origin. It is a module of its own, so that nobody
// who uses understudy downloads what drives a browser. Where the machine has no
// Chromium it says so in one line, and only builds.
package browser
