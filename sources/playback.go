package sources

import "time"

// Playback is where the replay of a recording is.
type Playback struct {
	From, To time.Time // what the recording holds
	Moment   time.Time // what is shown
	Speed    float64   // 1 for as fast as it was
	Paused   bool
	Ended    bool   // at the end of the recording
	Lost     uint64 // snapshots that were not recorded just before Moment; 0 for none
	Note     string // what of the recording cannot be read, in a cleaned sentence; "" for nothing
}
