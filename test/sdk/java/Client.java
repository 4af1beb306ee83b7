import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * One signed call by the HTTP client of the JDK. Its arguments are the address of the service, an
 * appId, its secret, and for a proxy the user that is named without being asked; it prints the
 * status and the body.
 */
public class Client {
    public static void main(String[] args) throws Exception {
        var parameters = new TreeMap<>(Map.of(
                "appId", args[1], "channelId", "2272655", "page", "1", "pageSize", "2",
                "timestamp", Long.toString(System.currentTimeMillis())));
        var query = new StringBuilder();
        var plain = new StringBuilder(args[2]);
        parameters.forEach((name, value) -> {
            query.append(name).append('=').append(value).append('&');
            plain.append(name).append(value);
        });
        plain.append(args[2]);
        var digest = MessageDigest.getInstance("MD5").digest(plain.toString().getBytes("UTF-8"));
        query.append("sign=").append(HexFormat.of().withUpperCase().formatHex(digest));

        var request = HttpRequest.newBuilder(URI.create(args[0] + "/live/v3/channel/session/data/list?" + query));
        if (args.length > 3) {
            request.header("Proxy-Authorization", args[3]);
        }
        try {
            var answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        } catch (javax.net.ssl.SSLException e) {
            System.out.println(e);
        }
    }
}
