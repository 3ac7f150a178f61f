package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogSecretsTest {
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            delimiter = '|',
            value = {
                "TransportConfiguration(name=null)?port=1&password=s3cret&user=hub | TransportConfiguration(name=null)?port=1&password=***&user=hub",
                "keyStorePassword=s3cret, trustStore=t | keyStorePassword=***, trustStore=t",
                "PlainLoginModule required password=\"s3 cret\" x=\"1\"; | PlainLoginModule required password=*** x=\"1\";",
                "{\"message\":\"password=\\\"s3cret\\\" x\"} | {\"message\":\"password=*** x\"}",
                "{\"message\":\"password=s3cret\"} | {\"message\":\"password=***\"}",
                "smtp://me:s3cret@mail:25 | smtp://me:***@mail:25",
            })
    void whatIsAssignedToAPasswordIsHidden(String line, String hidden) {
        assertThat(LogSecrets.hide(line)).isEqualTo(hidden);
    }

    @Test
    void otherTextStaysAsItIs() {
        String line = "user=hub orderId=\"o-1\" error=\"the password is wrong\" http://127.0.0.1:8080/orders?a=1@b";
        assertThat(LogSecrets.hide(line)).isEqualTo(line);
    }
}
