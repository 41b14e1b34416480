package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// A script of Argo CD may take a second.
const longest = time.Second

// runLua gives what a script returns for the object, which it sees as `obj`. Argo CD opens no more than these libraries
// for scripts of its users: a script that formats text would work in its own tests and fail in use.
func runLua(script string, object map[string]any) (any, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	// The first makes the tables that the others are entered into.
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
		{lua.OsLibName, openClock},
	} {
		call := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	state.PreloadModule(lua.OsLibName, openClock)
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	if state.GetTop() == 0 {
		return nil, errors.New("the script returns nothing")
	}
	return fromLua(state.Get(-1))
}

// openClock opens the part of `os` that Argo CD has: what the time is.
func openClock(state *lua.LState) int {
	library := state.RegisterModule(lua.OsLibName, map[string]lua.LGFunction{
		"time": func(l *lua.LState) int { l.Push(lua.LNumber(time.Now().Unix())); return 1 },
		"date": func(l *lua.LState) int {
			if format := l.OptString(1, ""); format != "!%Y-%m-%dT%XZ" {
				l.RaiseError("the format %q is not known here", format)
			}
			l.Push(lua.LString(time.Now().UTC().Format(time.RFC3339)))
			return 1
		},
	})
	state.Push(library)
	return 1
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.NewTable()
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

// An empty table is an empty list, as Argo CD reads it.
func fromLua(value lua.LValue) (any, error) {
	switch value := value.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(value), nil
	case lua.LNumber:
		return float64(value), nil
	case lua.LString:
		return string(value), nil
	case *lua.LTable:
		return fromTable(value)
	}
	return nil, fmt.Errorf("a script cannot return a %s", value.Type())
}

func fromTable(table *lua.LTable) (any, error) {
	list := []any{}
	object := map[string]any{}
	var failed error
	table.ForEach(func(key, item lua.LValue) {
		value, err := fromLua(item)
		if err != nil {
			failed = err
		}
		if _, isIndex := key.(lua.LNumber); isIndex {
			list = append(list, value)
		} else {
			object[key.String()] = value
		}
	})
	if len(object) == 0 {
		return list, failed
	}
	return object, failed
}
