// Reads "id host port anchors" lines, prints "id ok" or "id no reason".
import java.io.*;
import java.net.Socket;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.*;
import javax.net.ssl.*;

public class Driver {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] task = line.split("\t");
            try {
                connect(task[1], Integer.parseInt(task[2]), task[3]);
                System.out.println(task[0] + "\tok");
            } catch (Exception error) {
                Throwable deepest = error;
                while (deepest.getCause() != null) deepest = deepest.getCause();
                System.out.println(task[0] + "\tno\t" + (error + " / " + deepest).replaceAll("\\s+", " "));
            }
        }
    }

    static void connect(String host, int port, String anchors) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(new FileInputStream(anchors)))
            store.setCertificateEntry("anchor" + number++, one);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        Socket plain = new Socket("127.0.0.1", port);
        plain.setSoTimeout(5000);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        }
    }
}
