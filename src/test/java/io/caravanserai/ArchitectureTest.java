package io.caravanserai;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static com.tngtech.archunit.library.plantuml.rules.PlantUmlArchCondition.Configuration.consideringOnlyDependenciesInDiagram;
import static com.tngtech.archunit.library.plantuml.rules.PlantUmlArchCondition.adhereToPlantUmlDiagram;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares the imports with the picture in docs/architecture.md. */
class ArchitectureTest {
    private static final String ROOT = "io.caravanserai";
    /** Rooms that build and run the hub; may use all other rooms. */
    private static final String[] WIRING = {ROOT + ".app", ROOT + ".cli"};

    private static final String[] HTTP = {
        ROOT + ".app", ROOT + ".cli", ROOT + ".http", ROOT + ".intake", ROOT + ".api", ROOT + ".outside"
    };
    private static final Pattern ROOM = Pattern.compile("^ +([a-z.]+)$", Pattern.MULTILINE);
    private static final Pattern ARROW = Pattern.compile("^ +([a-z.]+) --> ([a-z.& ]+)$", Pattern.MULTILINE);
    private static final JavaClasses HUB = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);
    private static final JavaClasses TESTS = new ClassFileImporter()
            .withImportOption(new ImportOption.OnlyIncludeTests())
            .importPackages(ROOT);

    private final Set<String> rooms = new TreeSet<>();
    private final List<String> arrows = new ArrayList<>();

    @Test
    void roomsUseEachOtherAsThePictureShows(@TempDir Path folder) throws IOException {
        readPicture();
        Path diagram = Files.writeString(folder.resolve("rooms.puml"), plantUml());
        classes()
                .that(not(resideInAnyPackage(WIRING)))
                .should(adhereToPlantUmlDiagram(diagram.toUri().toURL(), consideringOnlyDependenciesInDiagram()))
                .check(HUB);
    }

    @Test
    void everyRoomIsInThePicture() throws IOException {
        readPicture();
        Set<String> packages = HUB.stream()
                .map(each -> each.getPackageName().substring(ROOT.length()))
                .filter(name -> !name.isEmpty())
                .map(name -> name.substring(1))
                .filter(name -> !name.equals("app") && !name.equals("cli"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(rooms).containsAll(packages);
    }

    @Test
    void onlyTheCommandLineUsesTheRoomThatBuildsTheHub() {
        noClasses()
                .that()
                .resideOutsideOfPackages(WIRING)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(WIRING)
                .check(HUB);
    }

    @Test
    void roomsHaveNoCircles() {
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(HUB);
    }

    @Test
    void onlyRoomsAtTheEdgeSpeakHttp() {
        noClasses()
                .that()
                .resideOutsideOfPackages(HTTP)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.vertx..", "java.net.http..")
                .check(HUB);
    }

    @Test
    void testNameShowsNeededResources() {
        DescribedPredicate<JavaClass> hasTests = DescribedPredicate.describe(
                "has tests", each -> each.getMethods().stream().anyMatch(method -> method.isAnnotatedWith(Test.class)));
        classes()
                .that(hasTests)
                .should()
                .haveNameMatching(".*(Test|IT|Contract)(\\$.*)?")
                .check(TESTS);
        noClasses()
                .that()
                .haveSimpleNameEndingWith("Test")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.net.http..", "java.sql..", ROOT + ".broker..", ROOT + ".crash..")
                .check(TESTS);
    }

    private void readPicture() throws IOException {
        String page = Files.readString(Path.of("docs", "architecture.md"));
        int from = page.indexOf("```mermaid");
        String picture = page.substring(from, page.indexOf("\n```", from));
        Matcher room = ROOM.matcher(picture);
        while (room.find()) {
            rooms.add(room.group(1));
        }
        rooms.remove("end");
        Matcher arrow = ARROW.matcher(picture);
        while (arrow.find()) {
            rooms.add(arrow.group(1));
            for (String target : arrow.group(2).split(" & ")) {
                rooms.add(target);
                arrows.add("[" + arrow.group(1) + "] --> [" + target + "]");
            }
        }
    }

    private String plantUml() {
        String components = rooms.stream()
                .map(room -> "[" + room + "] <<" + ROOT + "." + room + ">>")
                .collect(Collectors.joining("\n"));
        return "@startuml\n" + components + "\n" + String.join("\n", arrows) + "\n@enduml\n";
    }
}
