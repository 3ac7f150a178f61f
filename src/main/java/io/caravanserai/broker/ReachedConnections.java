package io.caravanserai.broker;

import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSRuntimeException;

/** Creates connections through another factory, after a check has passed. Thread-safe if both are. */
final class ReachedConnections implements ConnectionFactory {
    private final ConnectionFactory connections;
    private final Check check;

    /** Fails while no connection is possible. */
    @FunctionalInterface
    interface Check {
        void pass() throws JMSException;
    }

    ReachedConnections(ConnectionFactory connections, Check check) {
        this.connections = connections;
        this.check = check;
    }

    @Override
    public Connection createConnection() throws JMSException {
        check.pass();
        return connections.createConnection();
    }

    @Override
    public Connection createConnection(String user, String password) throws JMSException {
        check.pass();
        return connections.createConnection(user, password);
    }

    @Override
    public JMSContext createContext() {
        passUnchecked();
        return connections.createContext();
    }

    @Override
    public JMSContext createContext(String user, String password) {
        passUnchecked();
        return connections.createContext(user, password);
    }

    @Override
    public JMSContext createContext(String user, String password, int sessionMode) {
        passUnchecked();
        return connections.createContext(user, password, sessionMode);
    }

    @Override
    public JMSContext createContext(int sessionMode) {
        passUnchecked();
        return connections.createContext(sessionMode);
    }

    private void passUnchecked() {
        try {
            check.pass();
        } catch (JMSException e) {
            throw new JMSRuntimeException(e.getMessage(), e.getErrorCode(), e);
        }
    }
}
