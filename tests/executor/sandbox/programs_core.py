"""The programs that the five core languages are tried with."""

from dataclasses import replace

from tests.executor.sandbox.programs import Programs

PYTHON = Programs(
    hello="print('hello', input())",
    several=("import helper\nprint(helper.twice(21))", {"helper.py": "def twice(n):\n    return 2 * n\n"}),
    fails="import sys\nsys.exit(3)",
    crashes="print([][0])",
    broken="print(",
    spins="while True: pass",
    sleeps="import time\ntime.sleep(60)",
    grows="kept = []\nwhile True: kept.append(bytearray(b'x' * 1_000_000))",
    huge="bytearray(10 ** 10)",
    floods="while True: print('x' * 1000)",
    unicode="name = input()\nprint('é', name, len(name))",
    total="import sys\nprint(sum(map(int, sys.stdin)))",
    deep="import sys\nsys.setrecursionlimit(10 ** 6)\ndef f(n):\n    return f(n - 1) if n else 'deep'\nprint(f(50000))",
    endless="def f(n):\n    return 1 + f(n + 1)\nf(0)",
)
C = Programs(
    hello='#include <stdio.h>\nint main(){char s[99];scanf("%98s",s);printf("hello %s\\n",s);}',
    several=(
        '#include <stdio.h>\n#include "helper.h"\nint main(){printf("%d\\n",twice(21));}',
        {"helper.h": "int twice(int);", "helper.c": '#include "helper.h"\nint twice(int n){return 2*n;}'},
    ),
    fails="int main(){return 3;}",
    crashes="#include <stdlib.h>\nint main(){abort();}",
    broken="int main(){ return 0",
    spins="int main(){volatile int i=0;for(;;)i++;}",
    sleeps="#include <unistd.h>\nint main(){sleep(60);}",
    grows="#include <stdlib.h>\n#include <string.h>\nint main(){for(;;)memset(malloc(1000000),1,1000000);}",
    huge=None,  # it is what the program makes of a null pointer
    floods='#include <stdio.h>\nint main(){for(;;)puts("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");}',
    unicode='#include <stdio.h>\nint main(){char s[99];fgets(s,99,stdin);printf("é %s2",s);}',
    total='#include <stdio.h>\nint main(){long t=0,n;while(scanf("%ld",&n)==1)t+=n;printf("%ld\\n",t);}',
    deep="#include <stdio.h>\nint f(int n){volatile char b[400];b[0]=1;return n?f(n-1)+b[0]:0;}"
    'int main(){puts(f(50000)==50000?"deep":"");}',
    endless="int f(int n){volatile char b[999];b[0]=n;return f(n+1)+b[0];}int main(){return f(0);}",
)
CPP17 = Programs(
    hello='#include <iostream>\nint main(){std::string s;std::cin>>s;std::cout<<"hello "<<s<<"\\n";}',
    several=(
        '#include <iostream>\n#include "helper.h"\nint main(){std::cout<<twice(21)<<"\\n";}',
        {"helper.h": "int twice(int);", "helper.cpp": '#include "helper.h"\nint twice(int n){return 2*n;}'},
    ),
    fails="int main(){return 3;}",
    crashes='#include <stdexcept>\nint main(){throw std::runtime_error("no");}',
    broken="int main(){ return undeclared; }",
    spins="int main(){volatile int i=0;for(;;)i=i+1;}",
    sleeps="#include <unistd.h>\nint main(){sleep(60);}",
    grows="#include <vector>\nint main(){std::vector<int>v;for(;;)v.push_back(1);}",
    huge="#include <vector>\nint main(){std::vector<char> v(1ul<<34);return v[1];}",
    floods='#include <cstdio>\nint main(){for(;;)puts("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");}',
    unicode='#include <cstdio>\nint main(){char s[99];fgets(s,99,stdin);printf("é %s2",s);}',
    total='#include <cstdio>\nint main(){long t=0,n;while(scanf("%ld",&n)==1)t+=n;printf("%ld\\n",t);}',
    deep=C.deep,
    endless=C.endless,
)
CPP20 = replace(
    CPP17,
    hello="#include <iostream>\nint main(){std::string s;std::cin>>s;"
    'if(!s.starts_with("x"))std::cout<<"hello "<<s<<"\\n";}',
)
JAVA = Programs(
    hello="public class Main{public static void main(String[] a){"
    'System.out.println("hello "+new java.util.Scanner(System.in).next());}}',
    several=(
        "public class Main{public static void main(String[] a){System.out.println(Helper.twice(21));}}",
        {"Helper.java": "class Helper{static int twice(int n){return 2*n;}}"},
    ),
    fails="public class Main{public static void main(String[] a){System.exit(3);}}",
    crashes="public class Main{public static void main(String[] a){System.out.println(a[0]);}}",
    broken="public class Main { int x = ; }",
    spins="public class Main{static volatile int i;public static void main(String[] a){for(;;)i++;}}",
    sleeps="public class Main{public static void main(String[] a)throws Exception{Thread.sleep(60000);}}",
    grows="public class Main{public static void main(String[] a){"
    "var kept=new java.util.ArrayList<int[]>();for(;;)kept.add(new int[100000]);}}",
    huge="public class Main{public static void main(String[] a){long[][] x=new long[99][99999999];}}",
    floods='public class Main{public static void main(String[] a){for(;;)System.out.println("xxxxxxxxx");}}',
    unicode="public class Main{public static void main(String[] a)throws Exception{"
    "var s=new java.util.Scanner(System.in).next();"
    'new java.io.PrintStream(System.out,true,"UTF-8").println("é "+s+" "+s.length());'
    "}}",
    total="import java.io.*;public class Main{public static void main(String[] a)throws IOException{"
    "var r=new BufferedReader(new InputStreamReader(System.in));long t=0;String l;"
    "while((l=r.readLine())!=null)t+=Long.parseLong(l);System.out.println(t);}}",
    deep="public class Main{static int f(int n){return n==0?0:1+f(n-1);}"
    'public static void main(String[] a){System.out.println(f(50000)==50000?"deep":"");}}',
    endless="public class Main{static int f(int n){return 1+f(n+1);}public static void main(String[] a){f(0);}}",
)
JAVASCRIPT = Programs(
    hello="console.log('hello ' + require('fs').readFileSync(0, 'utf8').trim())",
    several=("console.log(require('./helper.js')(21))", {"helper.js": "module.exports = n => 2 * n"}),
    fails="process.exit(3)",
    crashes="null.property",
    broken="function (",
    spins="for (;;);",
    sleeps="setTimeout(() => 0, 60000)",
    grows="const kept = []; for (;;) kept.push(new Array(10000).fill(1.5))",
    huge="new ArrayBuffer(8e9)",
    floods="const fs = require('fs'); for (;;) fs.writeSync(1, 'x'.repeat(1000))",
    unicode="const s = require('fs').readFileSync(0, 'utf8').trim(); console.log('é ' + s + ' ' + s.length)",
    total="let t = 0; for (const l of require('fs').readFileSync(0, 'utf8').split('\\n')) t += Number(l);"
    "console.log(t)",
    deep="const f = n => n === 0 ? 0 : 1 + f(n - 1); console.log(f(50000) === 50000 ? 'deep' : '')",
    endless="const f = n => 1 + f(n + 1); f(0)",
)
