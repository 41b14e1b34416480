// Asks the scripts and expressions that we give to Argo CD and Flux what they say of objects, as these two would: Argo CD
// runs Lua without its libraries for texts, files and modules; Flux evaluates CEL in a fixed order.
//
// Reads a JSON list of questions, {"lua": SCRIPT, "object": OBJECT} or {"cel": {"inProgress": ..., "failed": ..., "current":
// ...}, "object": OBJECT}, from standard input, and writes a list of answers: {"value": VALUE} or {"error": TEXT}.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type question struct {
	Lua    string         `json:"lua"`
	Cel    *expressions   `json:"cel"`
	Object map[string]any `json:"object"`
}

type answer struct {
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		fmt.Fprintf(os.Stderr, "the questions cannot be read: %v\n", err)
		os.Exit(2)
	}
	answers := make([]answer, len(questions))
	for i, asked := range questions {
		value, err := asked.ask()
		if err != nil {
			answers[i] = answer{Error: err.Error()}
		} else {
			answers[i] = answer{Value: value}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintf(os.Stderr, "the answers cannot be written: %v\n", err)
		os.Exit(1)
	}
}

func (q question) ask() (any, error) {
	if q.Cel != nil {
		return health(*q.Cel, q.Object)
	}
	return runLua(q.Lua, q.Object)
}
