package rules

var opNames = [...]string{OpSet: "set", OpUnset: "unset", OpAdd: "add", OpMin: "min", OpMax: "max", OpLatest: "latest"}

// String returns the op as it is written in a rule.
func (o Op) String() string {
	if int(o) < len(opNames) && opNames[o] != "" {
		return opNames[o]
	}
	return "invalid"
}

// opOf returns the op of that name, 0 where there is none.
func opOf(name string) Op {
	for o, n := range opNames {
		if n == name && n != "" {
			return Op(o)
		}
	}
	return 0
}

// Family is the family that the op belongs to.
func (o Op) Family() Family {
	switch o {
	case OpSet, OpUnset:
		return FamilySet
	case OpAdd:
		return FamilyAdd
	case OpMin:
		return FamilyMin
	case OpMax:
		return FamilyMax
	}
	return FamilyLatest
}

var familyNames = [...]string{
	FamilySet: "set", FamilyAdd: "add", FamilyMin: "min", FamilyMax: "max", FamilyLatest: "latest",
}

// String returns the name of the family: that of its op that gives a value.
func (f Family) String() string {
	if int(f) < len(familyNames) && familyNames[f] != "" {
		return familyNames[f]
	}
	return "invalid"
}
