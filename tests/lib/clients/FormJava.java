// A form as programs in Java make it, since its library has none: java FormJava.java URL;
// the file f, and a field with a Content-Type, as Apache's HttpClient sends it.
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

class FormJava {
	public static void main(String[] args) throws Exception {
		String boundary = "7d33a816d302b6";
		var body = new ByteArrayOutputStream();
		add(body, "--" + boundary + "\r\nContent-Disposition: form-data; name=\"note\"\r\n"
			+ "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nü\r\n");
		add(body, "--" + boundary + "\r\nContent-Disposition: form-data; name=\"up\"; filename=\"f\"\r\n"
			+ "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n");
		body.write(Files.readAllBytes(Path.of("f")));
		add(body, "\r\n--" + boundary + "--\r\n");
		var request = HttpRequest.newBuilder(URI.create(args[0]))
			.header("Content-Type", "multipart/form-data; boundary=" + boundary)
			.POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray())).build();
		var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
		System.out.println(answer.statusCode() + " " + answer.headers().firstValue("Location").orElse("-"));
	}

	private static void add(ByteArrayOutputStream to, String text) throws Exception {
		to.write(text.getBytes(StandardCharsets.UTF_8));
	}
}
