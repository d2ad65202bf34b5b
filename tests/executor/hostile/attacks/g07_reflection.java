// id: G-07
// title: reflection on the driver, changed streams, small numbers with other values, and hooks at the end
// stage: run
// verdicts: wrong_answer runtime_error
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
class Solution {
    static {
        java.io.PrintStream out = System.out;
        System.setErr(out);
        System.setOut(new java.io.PrintStream(out, true) {
            @Override public void println(long value) { for (long n = 0; n < 100; n++) super.println(n); }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> out.println("accepted")));
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> Runtime.getRuntime().halt(0));
        try {
            java.lang.reflect.Field cache = Class.forName("java.lang.Integer$IntegerCache").getDeclaredField("cache");
            cache.setAccessible(true);
            Integer[] numbers = (Integer[]) cache.get(null);
            for (int n = 0; n < numbers.length; n++) numbers[n] = 42;
        } catch (Exception | Error refused) {
            out.flush();
        }
    }

    long solve(int n) {
        try {
            for (StackTraceElement frame : Thread.currentThread().getStackTrace())
                for (java.lang.reflect.Field field : Class.forName(frame.getClassName()).getDeclaredFields()) {
                    field.setAccessible(true);
                    System.err.println(field.getName() + " " + field.get(null));
                }
        } catch (Exception | Error refused) {
            return 0;
        }
        return 0;
    }
}
