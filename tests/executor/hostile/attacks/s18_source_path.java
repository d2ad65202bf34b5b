// id: S-18
// title: hands in options for the compiler, and a processor for it to run
// stage: compile
// verdicts: accepted compilation_error
// canaries: C2 escaped C8
// files: javac.args=-processor Main; argfile=-d /tmp; META-INF.services=Main
import java.util.Set;
import javax.annotation.processing.*;
import javax.lang.model.element.TypeElement;

@SupportedAnnotationTypes("*")
public class Main extends AbstractProcessor {
    static {
        if (System.getProperty("jdk.module.main", "").equals("jdk.compiler"))
            throw new Error("\nESCAPED runs in the compiler " + System.getenv());
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) { return false; }

    public static void main(String[] args) { System.out.println(42); }
}
