package sources

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Percent is an exact percentage in thousandths of a percent: 25 % is 25_000.
// Legal values lie between 0 and Full.
type Percent int32

// Full is 100 %.
const Full Percent = 100_000

// Pct is whole percents as a Percent: Pct(25) is 25 %.
func Pct(whole int) Percent { return Percent(whole) * 1000 }

// BriefPercent is a flag's value in few words as a percentage: of "25%", and 0 of "killed";
// absent for any other.
func BriefPercent(brief string) (to Opt[Percent]) {
	number, ok := strings.CutSuffix(brief, "%")
	p, err := ParsePercent(number)
	switch {
	case brief == "killed":
		return Some(Percent(0))
	case ok && err == nil:
		return Some(p)
	default:
		return to
	}
}

// ParsePercent reads "25", "25%", "0.5" or "12.345 %". More than three decimals,
// a sign, anything below 0 or above 100 is ErrInvalid.
func ParsePercent(s string) (Percent, error) {
	t := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%"))
	whole, frac, dotted := strings.Cut(t, ".")
	bad := func(why string) (Percent, error) {
		return 0, fmt.Errorf("%q is no percentage: %s: %w", Clean(s, 40), why, ErrInvalid)
	}
	if whole == "" || len(whole) > 3 || !digits(whole) || (dotted && (frac == "" || !digits(frac))) {
		return bad("write a number from 0 to 100")
	}
	if len(frac) > 3 {
		return bad("at most three decimals")
	}
	n, _ := strconv.Atoi(whole)
	f, _ := strconv.Atoi((frac + "000")[:3])
	if p := n*1000 + f; p <= int(Full) {
		return Percent(p), nil
	}
	return bad("the most is 100")
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// PercentOf is part/whole as a Percent, rounded to the nearest thousandth, and
// whether that is exact. A whole of 0 or less gives 0 and false.
func PercentOf(part, whole int64) (Percent, bool) {
	if whole <= 0 || part < 0 || part > whole {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(part), uint64(Full)) // floats would lose large numbers
	q, rem := bits.Div64(hi, lo, uint64(whole))
	if rem >= uint64(whole)-rem {
		q++
	}
	return Percent(q), rem == 0
}

// Clamp is p moved into 0..Full.
func (p Percent) Clamp() Percent { return max(0, min(p, Full)) }

// String prints the number without percent sign and without trailing zeros: "25", "0.5".
func (p Percent) String() string {
	n, sign := int(p), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	s := sign + strconv.Itoa(n/1000)
	if f := n % 1000; f != 0 {
		s += strings.TrimRight(fmt.Sprintf(".%03d", f), "0")
	}
	return s
}

// Float is the percentage as a float: 25 % is 25.
func (p Percent) Float() float64 { return float64(p) / 1000 }

// MarshalJSON writes the bare number.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a bare number from 0 to 100.
func (p *Percent) UnmarshalJSON(b []byte) error {
	v, err := ParsePercent(string(b))
	if err != nil {
		return err
	}
	*p = v
	return nil
}
