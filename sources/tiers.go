package sources

// Tiers gathers what stands in for each other: the items of one group in tiers,
// which are in the order of the list, as groups in the order of their first item.
// An item whose group is "" is a group of its own. Indexes into list are returned.
func Tiers[T any](list []T, of func(*T) (group string, tier int)) (groups [][][]int) {
	at, last := map[string]int{}, map[string]int{}
	for i := range list {
		name, tier := of(&list[i])
		n, known := at[name]
		switch {
		case name == "" || !known:
			at[name] = len(groups)
			groups = append(groups, [][]int{{i}})
		case tier == last[name]:
			end := len(groups[n]) - 1
			groups[n][end] = append(groups[n][end], i)
		default:
			groups[n] = append(groups[n], []int{i})
		}
		last[name] = tier
	}
	return groups
}
