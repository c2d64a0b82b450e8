package haproxy

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"relctl-tui/sources"
)

// server is one row of "show servers state".
type server struct {
	name             string
	op, admin        int
	uweight, iweight int
	agent            bool

	backup     bool
	sessions   int              // open at the moment
	rate       sources.Value    // sessions in the last second
	good, fail sources.Value    // HTTP answers so far: those below 500, and those from there
	fall, rise sources.Value    // health checks in a row that take it out, and bring it back; absent where nothing checks it
	times      [3]sources.Value // of the last 1024 requests on average, in ms: queue, connect, answer
}

// The bits of srv_admin_state that matter: forced ones can be taken back over the
// socket, inherited ones come from a server that this one tracks.
const (
	forcedMaint    = 0x01
	inheritedMaint = 0x02
	configMaint    = 0x04
	forcedDrain    = 0x08
	inheritedDrain = 0x10
	noAddress      = 0x20 // its name is not resolved

	forced    = forcedMaint | forcedDrain
	inherited = inheritedMaint | inheritedDrain
)

// The values of srv_op_state.
const (
	stopped  = 0
	starting = 1
	running  = 2
	stopping = 3
)

const agentEnabled = 0x04 // of srv_agent_state

// picture is what HAProxy said at one moment.
type picture struct {
	servers map[string][]server // by backend, in HAProxy's order
	balance map[string]string   // by backend; "" where the socket's level hides it
	level   string              // "" when it is not known
}

// maxServers bounds a picture.
const maxServers = 50_000

// seen makes a picture of the answers to what asking asked.
func seen(name string, answers []string) (*picture, error) {
	pic := &picture{servers: map[string][]server{}, balance: map[string]string{}}
	last := len(answers) - 1
	for i := 0; i+1 < last; i += 2 {
		if err := pic.state(name, answers[i]); err != nil {
			return nil, err
		}
		pic.stat(answers[i+1])
	}
	if level := answers[last]; level == "admin" || level == "operator" || level == "user" {
		pic.level = level
	}
	return pic, nil
}

func (p *picture) readOnly() string {
	if p.level == "" || p.level == "admin" {
		return ""
	}
	return "level " + p.level + " of " + notAdmin
}

// state reads an answer to "show servers state". Columns are found by name, since
// versions add some.
func (p *picture) state(name, answer string) error {
	if strings.HasPrefix(answer, "Can't find backend") {
		return nil
	}
	bad := func(why string) error {
		return fmt.Errorf("%s: HAProxy's list of servers cannot be read (%s): %w", name, why, sources.ErrUnavailable)
	}
	if strings.HasPrefix(answer, "Permission denied") || strings.HasPrefix(answer, "Unknown command") {
		return refusal(name, "list its servers", answer)
	}
	version, rest, _ := strings.Cut(answer, "\n")
	if version != "1" {
		return bad(fmt.Sprintf("it begins with %q and not with version 1", sources.Clean(version, 40)))
	}
	header, rest, _ := strings.Cut(rest, "\n")
	column := map[string]int{}
	for i, h := range strings.Fields(strings.TrimPrefix(header, "#")) {
		column[h] = i
	}
	for _, want := range []string{"be_name", "srv_name", "srv_op_state", "srv_admin_state", "srv_uweight", "srv_iweight"} {
		if _, ok := column[want]; !ok {
			return bad("it has no column " + want)
		}
	}
	n := 0
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if n++; n > maxServers {
			return bad(fmt.Sprintf("more than %d servers", maxServers))
		}
		backend, srv, ok := row(column, fields)
		if !ok {
			return bad(fmt.Sprintf("row %q", sources.Clean(strings.TrimSpace(line), 100)))
		}
		p.servers[backend] = append(p.servers[backend], srv)
	}
	return nil
}

// row reads one server; false for what HAProxy never writes.
func row(column map[string]int, fields []string) (backend string, s server, ok bool) {
	ok = true
	number := func(name string, most int) int {
		i, known := column[name]
		if !known || i >= len(fields) {
			ok = false
			return 0
		}
		n, err := strconv.Atoi(fields[i])
		if err != nil || n < 0 || n > most {
			ok = false
		}
		return n
	}
	s = server{
		op: number("srv_op_state", 255), admin: number("srv_admin_state", 1<<16),
		uweight: number("srv_uweight", maxWeight), iweight: number("srv_iweight", maxWeight),
	}
	if i, known := column["srv_agent_state"]; known && i < len(fields) {
		s.agent = number("srv_agent_state", 1<<16)&agentEnabled != 0
	}
	if !ok || column["be_name"] >= len(fields) || column["srv_name"] >= len(fields) {
		return "", server{}, false
	}
	backend, s.name = fields[column["be_name"]], fields[column["srv_name"]]
	return backend, s, legalName(backend) && legalName(s.name)
}

// stat adds what "show stat" alone knows: the balance of backends, backup servers and
// open sessions. What it does not say is not known; nothing depends on it alone.
func (p *picture) stat(answer string) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(answer, "# ")))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	header, err := r.Read()
	if err != nil {
		return
	}
	column := map[string]int{}
	for i, h := range header {
		column[h] = i
	}
	at := map[string]map[string]*server{}
	for backend, list := range p.servers {
		at[backend] = make(map[string]*server, len(list))
		for i := range list {
			at[backend][list[i].name] = &list[i]
		}
	}
	for {
		fields, err := r.Read()
		if err != nil {
			return
		}
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(fields) {
				return fields[i]
			}
			return ""
		}
		backend, name := get("pxname"), get("svname")
		if s := at[backend][name]; s != nil {
			s.backup = get("bck") == "1"
			s.rate, s.fail = whole(get("rate")), whole(get("hrsp_5xx"))
			for _, class := range []string{"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx"} {
				if v := whole(get(class)); v.OK {
					s.good = sources.Some(s.good.V + v.V)
				}
			}
			s.fall, s.rise = whole(get("check_fall")), whole(get("check_rise"))
			s.times = [3]sources.Value{whole(get("qtime")), whole(get("ctime")), whole(get("rtime"))}
			s.sessions, _ = strconv.Atoi(get("scur"))
		} else if get("type") == "1" && at[backend] != nil {
			p.balance[backend] = sources.Clean(get("algo"), 40)
		}
	}
}

// whole is a number of "show stat"; absent where the field is empty.
func whole(text string) sources.Value {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return sources.Value{}
	}
	return sources.Some(float64(n))
}
