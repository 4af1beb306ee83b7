package control

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ticks is how many of the kernel's units of time, in which it tells programs of times, a
// second has, on every architecture.
const ticks = 100

// measureProcess adds what the kernel tells of this process. What it does not tell, as
// where /proc is not mounted, is left out.
func measureProcess(f *families) {
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil {
		measureStat(f, stat)
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		f.one(gauge, "process_open_fds", "Number of open file descriptors.", float64(len(open)-1)) // but for that of the folder
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		f.one(gauge, "process_max_fds", "Maximum number of open file descriptors.", float64(limit.Cur))
	}
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) == nil {
		f.one(gauge, "process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", float64(limit.Cur))
	}
	if text, err := os.ReadFile("/proc/self/net/netstat"); err == nil {
		measureNetwork(f, string(text))
	}
}

// measureStat reads /proc/self/stat. Its second field is a name in parentheses that may
// hold anything; those behind it are counted from the third on.
func measureStat(f *families, stat []byte) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 24-2 {
		return
	}
	number := func(field int) float64 {
		n, _ := strconv.ParseFloat(fields[field-3], 64)
		return n
	}
	f.one(counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", (number(14)+number(15))/ticks)
	f.one(gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.", number(23))
	f.one(gauge, "process_resident_memory_bytes", "Resident memory size in bytes.", number(24)*float64(os.Getpagesize()))
	if system, err := os.ReadFile("/proc/stat"); err == nil {
		_, rest, _ := strings.Cut(string(system), "\nbtime ")
		line, _, _ := strings.Cut(rest, "\n")
		if booted, err := strconv.ParseFloat(line, 64); err == nil {
			f.one(gauge, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", booted+number(22)/ticks)
		}
	}
}

// measureNetwork reads /proc/self/net/netstat, which has a line of names and one of values
// for each protocol.
func measureNetwork(f *families, text string) {
	_, text, _ = strings.Cut(text, "\nIpExt: ")
	names, rest, _ := strings.Cut(text, "\nIpExt: ")
	values, _, _ := strings.Cut(rest, "\n")
	numbers := strings.Fields(values)
	for i, name := range strings.Fields(names) {
		if i >= len(numbers) {
			return
		}
		n, err := strconv.ParseFloat(numbers[i], 64)
		switch {
		case err != nil:
		case name == "InOctets":
			f.one(counter, "process_network_receive_bytes_total", "Number of bytes received by the process over the network.", n)
		case name == "OutOctets":
			f.one(counter, "process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.", n)
		}
	}
}
