package io.caravanserai.broker;

import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.util.Optional;
import org.apache.activemq.artemis.api.jms.management.JMSManagementHelper;

/** Calls management operations of a broker by messages. The login needs the right to {@code manage}. */
final class BrokerManagement {
    private static final String ADDRESS = "activemq.management";
    private static final long ANSWER_TIMEOUT_MILLIS = 2_000;

    private BrokerManagement() {}

    /**
     * The result of an operation; empty without the right to {@code manage}, without an answer, and when the operation
     * failed.
     *
     * @param session of a started connection
     */
    static Optional<Object> call(Session session, String resource, String operation, Object... parameters)
            throws JMSException {
        TemporaryQueue answers = session.createTemporaryQueue();
        try {
            return call(session, answers, resource, operation, parameters);
        } finally {
            answers.delete();
        }
    }

    private static Optional<Object> call(
            Session session, TemporaryQueue answers, String resource, String operation, Object... parameters)
            throws JMSException {
        try (MessageConsumer consumer = session.createConsumer(answers);
                MessageProducer producer = session.createProducer(session.createQueue(ADDRESS))) {
            Message question = session.createMessage();
            question.setJMSReplyTo(answers);
            JMSManagementHelper.putOperationInvocation(question, resource, operation, parameters);
            producer.send(question);
            Message answer = consumer.receive(ANSWER_TIMEOUT_MILLIS);
            return answer != null && JMSManagementHelper.hasOperationSucceeded(answer)
                    ? Optional.ofNullable(JMSManagementHelper.getResult(answer))
                    : Optional.empty();
        } catch (JMSSecurityException e) {
            return Optional.empty();
        } catch (JMSException e) {
            throw e;
        } catch (Exception e) {
            throw (JMSException) new JMSException("cannot read the answer of the broker to " + operation).initCause(e);
        }
    }
}
