// A form by mime/multipart: go run form.go URL; the file f, under two names, and a field, in
// chunks, since its length is not told.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		form.WriteField("note", "ü")
		for _, name := range []string{"f", "a \"b\" ä.txt"} {
			part, _ := form.CreateFormFile("up", name)
			f, _ := os.Open("f")
			io.Copy(part, f)
			f.Close()
		}
		form.Close()
		w.Close()
	}()
	answer, err := http.Post(os.Args[1], form.FormDataContentType(), r)
	if err != nil {
		panic(err)
	}
	var said struct{ Files []struct{ Name string } }
	json.NewDecoder(answer.Body).Decode(&said)
	fmt.Print(answer.StatusCode)
	for _, f := range said.Files {
		fmt.Print(" ", f.Name)
	}
	fmt.Println()
}
