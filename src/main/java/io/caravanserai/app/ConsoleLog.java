package io.caravanserai.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import io.caravanserai.config.HubSettings;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.slf4j.LoggerFactory;

/**
 * Configures the log to standard error, unless {@code -Dlogback.configurationFile} names another configuration. Logback
 * finds this class through {@link java.util.ServiceLoader}. Java code instead of a logback.xml, because parsing XML
 * takes more than a tenth of a second of each start.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_NORMAL_PRIORITY)
public final class ConsoleLog extends ContextAwareBase implements Configurator {
    private static final String CONSOLE = "console";
    /** Packages of libraries; a test compares the set with the class path. */
    static final Set<String> LIBRARIES = Set.of(
            "ch.qos",
            "com.dynatrace",
            "com.ethlo",
            "com.fasterxml",
            "com.github",
            "com.google",
            "com.jayway",
            "com.networknt",
            "com.nimbusds",
            "com.sun",
            "com.typesafe",
            "com.yammer",
            "io.github",
            "io.micrometer",
            "io.netty",
            "io.prometheus",
            "io.vavr",
            "io.vertx",
            "jakarta",
            "java",
            "javax",
            "jdk",
            "joptsimple",
            "kafka",
            "net.jpountz",
            "net.minidev",
            "net.sourceforge",
            "org.HdrHistogram",
            "org.LatencyUtils",
            "org.aopalliance",
            "org.apache",
            "org.eclipse",
            "org.flywaydb",
            "org.glassfish",
            "org.jctools",
            "org.jetbrains",
            "org.jgroups",
            "org.jose4j",
            "org.messaginghub",
            "org.pcollections",
            "org.slf4j",
            "org.snakeyaml",
            "org.springframework",
            "org.sqlite",
            "org.xerial",
            "org.yaml",
            "scala",
            "state.change.logger",
            "sun");

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        if (System.getProperty("logback.configurationFile") != null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        PatternLayoutEncoder lines = new PatternLayoutEncoder() {
            @Override
            public byte[] encode(ILoggingEvent event) {
                return LogSecrets.hide(getLayout().doLayout(event)).getBytes(StandardCharsets.UTF_8);
            }
        };
        lines.setContext(context);
        lines.setCharset(StandardCharsets.UTF_8);
        lines.setPattern("%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg %kvp%n%ex");
        lines.start();
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setName(CONSOLE);
        console.setContext(context);
        console.setTarget("System.err");
        console.setEncoder(lines);
        console.start();
        context.getLogger("ROOT").addAppender(console);
        level(context, Level.INFO);
        // Work that does not end within the timeout continues after the next start, so a warning would mislead.
        context.getLogger("org.apache.camel.impl.engine.DefaultShutdownStrategy")
                .setLevel(Level.ERROR);
        context.getLogger("org.apache.camel.impl.engine.DefaultInflightRepository")
                .setLevel(Level.ERROR);
        ClientLogFilter clients = new ClientLogFilter();
        clients.setContext(context);
        clients.start();
        context.addTurboFilter(clients);
        FlowLogFilter flows = new FlowLogFilter();
        flows.setContext(context);
        flows.start();
        context.addTurboFilter(flows);
        // A missing reply fails the step, and the order history records the failure.
        context.getLogger("org.apache.camel.component.jms.reply").setLevel(Level.ERROR);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /**
     * Applies the settings to the log. Does nothing when {@code -Dlogback.configurationFile} names another
     * configuration.
     */
    public static void apply(HubSettings.Log settings) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Appender<ILoggingEvent> appender = context.getLogger("ROOT").getAppender(CONSOLE);
        if (!(appender instanceof ConsoleAppender<ILoggingEvent> console)) {
            return;
        }
        if (settings.format() == HubSettings.Log.Format.JSON) {
            JsonLines lines = new JsonLines();
            lines.setContext(context);
            lines.start();
            console.stop();
            console.setEncoder(lines);
            console.start();
        }
        level(context, Level.toLevel(settings.level()));
        settings.levels().forEach((name, level) -> context.getLogger(name).setLevel(Level.toLevel(level)));
    }

    /** Sets the level of lines of the hub and of loggers named in flows; libraries log from WARN. */
    private static void level(LoggerContext context, Level level) {
        context.getLogger("ROOT").setLevel(level);
        Level quiet = level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN;
        LIBRARIES.forEach(library -> context.getLogger(library).setLevel(quiet));
    }
}
