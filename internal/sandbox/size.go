package sandbox

import (
	"reflect"

	"github.com/understudy-suite/understudy/internal/contract"
)

// sizeOf returns about how many bytes of memory a state holds that was just made: the
// size of all that its exported fields lead to, or its own Weight where that is more,
// since it has indices too.
func sizeOf(state contract.State) int64 {
	size := behind(reflect.ValueOf(state))
	if w, is := state.(contract.Weighed); is {
		return max(size, w.Weight())
	}
	return size
}

// mapSlot is what a map takes for an element beside its key and value, in parts of
// these: groups of slots are between seven sixteenths and seven eighths full.
const mapSlot = 1.5

// behind returns the size of what a value refers to. States survive JSON, so nothing
// refers to itself.
func behind(v reflect.Value) (n int64) {
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			n = int64(v.Elem().Type().Size()) + behind(v.Elem())
		}
	case reflect.Slice:
		n = int64(v.Cap()) * int64(v.Type().Elem().Size())
		if refers(v.Type().Elem().Kind()) {
			for i := range v.Len() {
				n += behind(v.Index(i))
			}
		}
	case reflect.Map:
		slot := float64(v.Type().Key().Size() + v.Type().Elem().Size())
		n = int64(mapSlot * slot * float64(v.Len()))
		for it := v.MapRange(); it.Next(); {
			n += behind(it.Key()) + behind(it.Value())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n += behind(v.Field(i))
			}
		}
	}
	return n
}

// refers reports whether values of a kind may refer to others.
func refers(k reflect.Kind) bool {
	return k == reflect.String || k >= reflect.Array && k != reflect.UnsafePointer
}
