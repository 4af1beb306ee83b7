package openapi

import (
	"bytes"
	"encoding/json"
)

// The objects of OpenAPI, as far as the tables fill them.
type (
	document struct {
		OpenAPI    string           `json:"openapi"`
		Info       info             `json:"info"`
		Docs       *link            `json:"externalDocs,omitempty"`
		Servers    []server         `json:"servers,omitempty"`
		Paths      object[pathItem] `json:"paths"`
		Components components       `json:"components,omitzero"`
	}

	info struct {
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
		Version     string `json:"version"`
	}

	link struct {
		URL string `json:"url"`
	}

	server struct {
		URL string `json:"url"`
	}

	// pathItem has the operations by their methods.
	pathItem = object[*operation]

	operation struct {
		ID          string           `json:"operationId,omitempty"`
		Summary     string           `json:"summary,omitempty"`
		Description string           `json:"description,omitempty"`
		Parameters  []*parameter     `json:"parameters,omitempty"`
		Body        *body            `json:"requestBody,omitempty"`
		Responses   object[response] `json:"responses"`
		Operations  []operationInfo  `json:"x-understudy-operations,omitempty"`
		Rate        int              `json:"x-understudy-rate,omitempty"` // documented calls a second
		source
	}

	// operationInfo is one of several operations at one path and method.
	operationInfo struct {
		Name       string   `json:"name"`
		Doc        string   `json:"doc"`
		Rate       int      `json:"rate,omitempty"`
		Parameters []string `json:"parameters,omitempty"`
		Body       string   `json:"requestBody,omitempty"` // the address of its schema in this document
		Outcomes   []string `json:"outcomes"`
		cited
	}

	parameter struct {
		Name        string   `json:"name"`
		In          string   `json:"in"`
		Description string   `json:"description,omitempty"`
		Required    bool     `json:"required,omitempty"`
		Schema      *schema  `json:"schema"`
		Documented  string   `json:"x-understudy-name,omitempty"` // where the path's template has another name for it
		Of          []string `json:"x-understudy-operations,omitempty"`
		Expected    bool     `json:"x-understudy-expected,omitempty"`
		source
	}

	header struct {
		Description string  `json:"description,omitempty"`
		Required    bool    `json:"required,omitempty"`
		Schema      *schema `json:"schema"`
		source
	}

	body struct {
		Required bool              `json:"required,omitempty"`
		Content  object[mediaType] `json:"content"`
	}

	mediaType struct {
		Schema   *schema         `json:"schema,omitempty"`
		Examples object[example] `json:"examples,omitempty"`
		Holds    []*schema       `json:"x-understudy-holds,omitempty"` // what is in it, where its place is not known
	}

	example struct {
		Value any `json:"value"`
	}

	response struct {
		Description string            `json:"description"`
		Headers     object[header]    `json:"headers,omitempty"`
		Content     object[mediaType] `json:"content,omitempty"`
		Outcomes    []outcome         `json:"x-understudy-outcomes,omitempty"`
	}

	outcome struct {
		Name    string   `json:"name"`
		Of      []string `json:"operations,omitempty"` // where it is not every operation's
		Fails   bool     `json:"fails,omitempty"`
		Message string   `json:"message,omitempty"`
		Doc     string   `json:"doc"`
		cited
	}

	components struct {
		Schemas object[*schema] `json:"schemas,omitempty"`
	}

	schema struct {
		Ref         string          `json:"$ref,omitempty"`
		Title       string          `json:"title,omitempty"` // the row's name, where no property bears it
		Type        any             `json:"type,omitempty"`
		Format      string          `json:"format,omitempty"`
		Description string          `json:"description,omitempty"`
		Enum        []any           `json:"enum,omitempty"`
		Default     any             `json:"default,omitempty"`
		MinLength   int             `json:"minLength,omitempty"`
		MaxLength   int             `json:"maxLength,omitempty"`
		Minimum     *int            `json:"minimum,omitempty"`
		Maximum     *int            `json:"maximum,omitempty"`
		Items       *schema         `json:"items,omitempty"`
		Properties  object[*schema] `json:"properties,omitempty"`
		Required    []string        `json:"required,omitempty"`
		Values      *schema         `json:"additionalProperties,omitempty"` // of an object that has any names
		AnyOf       []*schema       `json:"anyOf,omitempty"`
		Examples    []any           `json:"examples,omitempty"`
		Holds       []*schema       `json:"x-understudy-holds,omitempty"`
		Expected    bool            `json:"x-understudy-expected,omitempty"`
		source
	}

	// source is the page of an object of OpenAPI's.
	source struct {
		Cite     string `json:"x-understudy-cite,omitempty"`
		Inferred bool   `json:"x-understudy-inferred,omitempty"`
	}

	// cited is the same in an object of ours.
	cited struct {
		Cite     string `json:"cite,omitempty"`
		Inferred bool   `json:"inferred,omitempty"`
	}
)

func sourceOf(cite string) source { return source{cite, cite == ""} }

func citedOf(cite string) cited { return cited{cite, cite == ""} }

// object is a JSON object whose members keep their order.
type object[T any] []member[T]

type member[T any] struct {
	name  string
	value T
}

// at finds the member of a name.
func (o object[T]) at(name string) *T {
	for i := range o {
		if o[i].name == name {
			return &o[i].value
		}
	}
	return nil
}

// put finds the member of a name, and makes it where there is none.
func (o *object[T]) put(name string) *T {
	if v := o.at(name); v != nil {
		return v
	}
	*o = append(*o, member[T]{name: name})
	return &(*o)[len(*o)-1].value
}

// MarshalJSON writes the members in their order.
func (o object[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(o[i].name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(o[i].value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes the document, indented for people to read and compare.
func (d *document) encode() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		panic("openapi: a table has a value that JSON cannot say: " + err.Error())
	}
	return b.Bytes()
}
