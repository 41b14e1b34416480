package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

type expressions struct {
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

// health is what Flux makes of its healthCheckExprs (its RFC 9): an object whose status speaks of another generation is in
// progress; then the first expression that is true decides; else it is in progress. An error ends the look: Flux looks again.
func health(exprs expressions, object map[string]any) (string, error) {
	if isOfAnotherGeneration(object) {
		return "InProgress", nil
	}
	for _, each := range []struct{ name, text string }{
		{"InProgress", exprs.InProgress},
		{"Failed", exprs.Failed},
		{"Current", exprs.Current},
	} {
		if each.text == "" {
			continue
		}
		isTrue, err := evaluate(each.text, object)
		if err != nil {
			return "", fmt.Errorf("%s: %w", each.name, err)
		}
		if isTrue {
			return each.name, nil
		}
	}
	return "InProgress", nil
}

func isOfAnotherGeneration(object map[string]any) bool {
	status, _ := object["status"].(map[string]any)
	metadata, _ := object["metadata"].(map[string]any)
	observed, hasObserved := status["observedGeneration"]
	return hasObserved && observed != metadata["generation"]
}

// evaluate uses the libraries that Flux offers, and like it does not check types beforehand.
func evaluate(text string, object map[string]any) (bool, error) {
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Sets(),
		ext.Encoders(),
	)
	if err != nil {
		return false, err
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return false, issues.Err()
	}
	program, err := env.Program(parsed)
	if err != nil {
		return false, err
	}
	value, _, err := program.Eval(object)
	if err != nil {
		return false, err
	}
	isTrue, isBool := value.Value().(bool)
	if !isBool {
		return false, fmt.Errorf("the expression gives a %T and no bool", value.Value())
	}
	return isTrue, nil
}
