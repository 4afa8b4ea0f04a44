// Uploads over TLS by Java's HttpClient, and by its HttpsURLConnection, as t/7020 wants
// them of each client; see there what is to be done, and what is to be said of it.

import java.io.*;
import java.net.*;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.*;
import java.util.regex.*;
import javax.net.ssl.*;

class WithJava {
	static final String FIRST = "https://127.0.0.1:" + System.getenv("PORT");
	static final String NAMED = "https://localhost:" + System.getenv("PORT");
	static final String STRANGER = "https://localhost:" + System.getenv("STRANGER");
	static final Path BODY = Path.of("body"), LARGE = Path.of("large");
	static String sha256, authorization;

	// Trusts server.pem, and counts the handshakes that had a certificate to be verified:
	// those that were resumed have none.
	static class Counting extends X509ExtendedTrustManager {
		final X509ExtendedTrustManager real;
		int full;

		Counting() throws Exception {
			KeyStore store = KeyStore.getInstance("PKCS12");
			store.load(null, null);
			try (InputStream in = new FileInputStream("server.pem")) {
				store.setCertificateEntry("server",
					CertificateFactory.getInstance("X.509").generateCertificate(in));
			}
			TrustManagerFactory f = TrustManagerFactory.getInstance("PKIX");
			f.init(store);
			real = (X509ExtendedTrustManager) f.getTrustManagers()[0];
		}

		public void checkServerTrusted(X509Certificate[] c, String type, Socket s) throws CertificateException {
			full++;
			real.checkServerTrusted(c, type, s);
		}

		public void checkServerTrusted(X509Certificate[] c, String type, SSLEngine e) throws CertificateException {
			full++;
			real.checkServerTrusted(c, type, e);
		}

		public void checkServerTrusted(X509Certificate[] c, String type) throws CertificateException {
			full++;
			real.checkServerTrusted(c, type);
		}

		public void checkClientTrusted(X509Certificate[] c, String type, Socket s) { }
		public void checkClientTrusted(X509Certificate[] c, String type, SSLEngine e) { }
		public void checkClientTrusted(X509Certificate[] c, String type) { }
		public X509Certificate[] getAcceptedIssuers() { return real.getAcceptedIssuers(); }
	}

	static SSLContext context(String v, TrustManager trust, boolean known) throws Exception {
		KeyManager[] keys = null;
		if (known) {
			char[] password = "secret".toCharArray();
			KeyStore store = KeyStore.getInstance("PKCS12");
			try (InputStream in = new FileInputStream("ann.p12")) {
				store.load(in, password);
			}
			KeyManagerFactory f = KeyManagerFactory.getInstance("PKIX");
			f.init(store, password);
			keys = f.getKeyManagers();
		}
		SSLContext c = SSLContext.getInstance("TLSv" + v);
		c.init(keys, new TrustManager[] {trust}, null);
		return c;
	}

	static HttpClient client(String v, SSLContext c) {
		return HttpClient.newBuilder().sslContext(c)
			.sslParameters(new SSLParameters(null, new String[] {"TLSv" + v})).build();
	}

	static HttpResponse<String> put(HttpClient c, String url, BodyPublisher body, String... fields) throws Exception {
		HttpRequest.Builder r = HttpRequest.newBuilder(URI.create(url)).PUT(body);
		if (fields.length > 0)
			r.headers(fields);
		return c.send(r.build(), HttpResponse.BodyHandlers.ofString());
	}

	static String member(String json, String name) {
		Matcher m = Pattern.compile("\"" + name + "\":\"?([^\",:}]*)").matcher(json);
		return m.find() ? m.group(1) : "none";
	}

	static String whole(String receipt) throws Exception {
		boolean same = member(receipt, "sha-256").equals(sha256) &&
			member(receipt, "bytes").equals("" + Files.size(BODY));
		return same ? "whole" : "not whole";
	}

	static void say(Object... what) {
		StringJoiner line = new StringJoiner(" ");
		for (Object o : what)
			line.add(o.toString());
		System.out.println(line);
		System.out.flush();
	}

	static String problem(HttpResponse<String> a) {
		return a.statusCode() + " " + member(a.body(), "detail");
	}

	static InputStream open(Path p) {
		try {
			return Files.newInputStream(p);
		} catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	static void client(String v) throws Exception {
		HttpClient c = client(v, context(v, new Counting(), false));
		HttpResponse<String> a = put(c, FIRST + "/file/" + v + "-put", BodyPublishers.ofFile(BODY));
		say(v, "version", a.sslSession().get().getProtocol());
		say(v, "put", a.statusCode(), whole(a.body()));
		a = put(c, FIRST + "/file/" + v + "-again", BodyPublishers.ofFile(BODY));
		say(v, "again", a.statusCode(), whole(a.body()));
		a = put(c, FIRST + "/file/" + v + "-stream", BodyPublishers.ofInputStream(() -> open(BODY)));
		say(v, "stream", a.statusCode(), whole(a.body()));
		say(v, "large", problem(put(c, FIRST + "/small/" + v + "-large", BodyPublishers.ofFile(LARGE))));
		say(v, "nobody", problem(put(c, FIRST + "/token/" + v + "-nobody", BodyPublishers.ofFile(LARGE))));
		a = put(c, FIRST + "/token/" + v + "-token", BodyPublishers.ofFile(BODY), "Authorization", authorization);
		say(v, "token", a.statusCode(), member(a.body(), "remote_user"));
		a = put(client(v, context(v, new Counting(), true)), FIRST + "/cert/" + v + "-cert", BodyPublishers.ofFile(BODY));
		say(v, "certificate", a.statusCode(), member(a.body(), "remote_user"));
		say(v, "name", put(c, NAMED + "/file/" + v + "-name", BodyPublishers.ofFile(BODY)).statusCode());
		try {
			put(c, STRANGER + "/file/" + v + "-stranger", BodyPublishers.ofFile(BODY));
			say(v, "stranger served");
		} catch (SSLException e) {
			say(v, "stranger refused");
		}
		resume(v);
	}

	// Each client has connections of its own, and a context the sessions.
	static int resumed(String v, SSLContext c, Counting trust, int count) throws Exception {
		int before = trust.full;
		for (int i = 0; i < count; i++)
			put(client(v, c), FIRST + "/cert/" + v + "-resumed", BodyPublishers.ofString("x"));
		return count - (trust.full - before);
	}

	static void resume(String v) throws Exception {
		Counting trust = new Counting();
		SSLContext c = context(v, trust, true);
		resumed(v, c, trust, 1);
		say(v, "resumed", resumed(v, c, trust, 6));
		Files.createFile(Path.of("resumed-" + v));
		while (!Files.exists(Path.of("go-" + v)))
			Thread.sleep(10);
		say(v, "resumed", resumed(v, c, trust, 6));
	}

	// What it says of an upload by HttpsURLConnection, in pieces or with a length.
	static String connection(SSLSocketFactory f, String path, Path body, boolean pieces) throws Exception {
		HttpsURLConnection u = (HttpsURLConnection) new URL(FIRST + path).openConnection();
		u.setSSLSocketFactory(f); // which has the connections that are kept
		u.setDoOutput(true);
		u.setRequestMethod("PUT");
		if (pieces)
			u.setChunkedStreamingMode(70001);
		else
			u.setFixedLengthStreamingMode(Files.size(body));
		if (path.startsWith("/token"))
			u.setRequestProperty("Authorization", authorization);
		try (OutputStream out = u.getOutputStream()) {
			Files.copy(body, out);
		}
		int status = u.getResponseCode();
		InputStream in = status < 400 ? u.getInputStream() : u.getErrorStream();
		String told = new String(in.readAllBytes());
		if (status >= 400)
			return status + " " + member(told, "detail");
		return status + " " + whole(told);
	}

	static void connections() throws Exception {
		SSLSocketFactory f = context("1.3", new Counting(), false).getSocketFactory();
		say("url", "put", connection(f, "/file/url-put", BODY, false));
		say("url", "again", connection(f, "/file/url-again", BODY, false));
		say("url", "stream", connection(f, "/file/url-stream", BODY, true));
		say("url", "large", connection(f, "/small/url-large", LARGE, false));
		say("url", "large", connection(f, "/small/url-large", LARGE, true));
		say("url", "token", connection(f, "/token/url-token", BODY, false));
	}

	public static void main(String[] args) throws Exception {
		authorization = "Bearer " + Files.readString(Path.of("token")).trim();
		sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(BODY)));
		client("1.2");
		client("1.3");
		connections();
		System.exit(0);
	}
}
