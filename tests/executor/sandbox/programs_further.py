"""The programs that the further languages are tried with."""

from tests.executor.sandbox.programs import Programs

TYPESCRIPT = Programs(
    hello='import * as fs from "fs";\nconst name: string = fs.readFileSync(0, "utf8").trim();\n'
    'console.log("hello", name);',
    several=(
        'import { twice } from "./helper";\nconsole.log(twice(21));',
        {"helper.ts": "export function twice(n: number): number { return 2 * n; }"},
    ),
    fails="process.exit(3);",
    crashes="const list: number[] = []; list[5].toFixed();",
    broken='const n: number = "a word";',
    spins="for (;;);",
    sleeps="setTimeout(() => 0, 60000);",
    grows="const kept: number[][] = []; for (;;) kept.push(new Array(10000).fill(1.5));",
    huge="new ArrayBuffer(8e9);",
    floods='import { writeSync } from "fs"; for (;;) writeSync(1, "x".repeat(1000));',
    unicode='const s: string = require("fs").readFileSync(0, "utf8").trim(); console.log(`é ${s} ${s.length}`);',
    total='import fs from "fs"; let t = 0; for (const l of fs.readFileSync(0, "utf8").split("\\n")) t += Number(l);'
    "console.log(t);",
    deep='function f(n: number): number { return n === 0 ? 0 : 1 + f(n - 1); } console.log(f(50000) ? "deep" : "");',
    endless="function f(n: number): number { return 1 + f(n + 1); } f(0);",
)
GO = Programs(
    hello='package main\nimport "fmt"\nfunc main() { var s string; fmt.Scan(&s); fmt.Println("hello", s) }',
    several=(
        'package main\nimport "fmt"\nfunc main() { fmt.Println(twice(21)) }',
        {"helper.go": "package main\nfunc twice(n int) int { return 2 * n }"},
    ),
    fails='package main\nimport "os"\nfunc main() { os.Exit(3) }',
    crashes="package main\nfunc main() { var a []int; println(a[3]) }",
    broken="package main\nfunc main() { unused := 1 }",
    spins="package main\nfunc main() { for {} }",
    sleeps='package main\nimport "time"\nfunc main() { time.Sleep(time.Minute) }',
    grows="package main\nvar kept [][]byte\nfunc main() { for { b := make([]byte, 1000000)\n"
    "for i := range b { b[i] = 1 }; kept = append(kept, b) } }",
    huge="package main\nfunc main() { x := make([]byte, 1<<34); for i := range x { x[i] = 1 }; println(len(x)) }",
    floods='package main\nimport "fmt"\nfunc main() { for { fmt.Println("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") } }',
    unicode='package main\nimport "fmt"\nfunc main() { var s string; fmt.Scan(&s)\n'
    'fmt.Println("é", s, len([]rune(s))) }',
    total='package main\nimport ("bufio"; "fmt"; "os"; "strconv")\nfunc main() { s := bufio.NewScanner(os.Stdin)\n'
    "t := 0; for s.Scan() { n, _ := strconv.Atoi(s.Text()); t += n }; fmt.Println(t) }",
    deep='package main\nimport "fmt"\nfunc f(n int) int { if n == 0 { return 0 }; return 1 + f(n-1) }\n'
    'func main() { if f(50000) == 50000 { fmt.Println("deep") } }',
    endless="package main\nfunc f(n int) int { var a [99]int; a[n%99] = n; return f(n+1) + a[n%99] }\n"
    "func main() { println(f(0)) }",
)
RUST = Programs(
    hello="fn main() { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap();"
    'println!("hello {}", s.trim()); }',
    several=(
        'mod helper;\nfn main() { println!("{}", helper::twice(21)); }',
        {"helper.rs": "pub fn twice(n: i32) -> i32 { 2 * n }"},
    ),
    fails="fn main() { std::process::exit(3); }",
    crashes='fn main() { panic!("no"); }',
    broken='fn main() { let n: i32 = "a word"; }',
    spins="fn main() { let mut i = 0u64; loop { unsafe { std::ptr::write_volatile(&mut i, 1) } } }",
    sleeps="fn main() { std::thread::sleep(std::time::Duration::from_secs(60)); }",
    grows="fn main() { let mut kept = Vec::new(); loop { kept.push(vec![1u8; 1_000_000]); } }",
    huge='fn main() { let v: Vec<u8> = vec![1; 1 << 34]; println!("{}", v[5]); }',
    floods='fn main() { loop { println!("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"); } }',
    unicode="fn main() { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); let s = s.trim();"
    'println!("é {s} {}", s.chars().count()); }',
    total="use std::io::BufRead;\nfn main() { let t: i64 = std::io::stdin().lock().lines()"
    '.map(|l| l.unwrap().parse::<i64>().unwrap()).sum(); println!("{}", t); }',
    deep="fn f(n: u64) -> u64 { let a = [n; 50]; if n == 0 { 0 } else {"
    " f(n - 1) + unsafe { std::ptr::read_volatile(&a) }[1] / n } }\n"
    'fn main() { if f(50000) == 50000 { println!("deep"); } }',
    endless="fn f(n: u64) -> u64 { let a = [n; 50]; f(n + 1) + unsafe { std::ptr::read_volatile(&a) }[1] }\n"
    'fn main() { println!("{}", f(0)); }',
)
RUBY = Programs(
    hello='puts "hello #{gets.chomp}"',
    several=("require_relative 'helper'\nputs twice(21)", {"helper.rb": "def twice(n)\n  2 * n\nend\n"}),
    fails="exit 3",
    crashes="nil.upcase",
    broken="def (",
    spins="loop {}",
    sleeps="sleep 60",
    grows="kept = []\nloop { kept << 'x' * 1_000_000 }",
    huge="'a' * 10 ** 10",
    floods="loop { puts 'x' * 1000 }",
    unicode='name = gets.chomp\nputs "é #{name} #{name.length}"',
    total="puts STDIN.each_line.sum(&:to_i)",
    deep="def f(n) = n == 0 ? 0 : 1 + f(n - 1)\nputs 'deep' if f(50000) == 50000",
    endless="def f(n) = 1 + f(n + 1)\nf(0)",
)
PHP = Programs(
    hello='<?php echo "hello ", trim(fgets(STDIN)), "\\n";',
    several=(
        "<?php require 'helper.php'; echo twice(21), \"\\n\";",
        {"helper.php": "<?php function twice($n) { return 2 * $n; }"},
    ),
    fails="<?php exit(3);",
    crashes="<?php echo intdiv(1, 0);",
    broken="<?php function (",
    spins="<?php while (true);",
    sleeps="<?php sleep(60);",
    grows="<?php $kept = []; while (true) $kept[] = str_repeat('x', 1000000);",
    huge="<?php $x = str_repeat('a', 10 ** 10);",
    floods="<?php while (true) echo str_repeat('x', 1000), \"\\n\";",
    # Without the extension for such letters, their number is found by a pattern.
    unicode='<?php $s = trim(fgets(STDIN)); echo "é $s ", preg_match_all("/./u", $s);',
    total='<?php $t = 0; while (($l = fgets(STDIN)) !== false) $t += (int) $l; echo "$t\\n";',
    deep="<?php function f($n) { return $n == 0 ? 0 : 1 + f($n - 1); } echo f(50000) == 50000 ? 'deep' : '';",
    endless="<?php function f($n) { return 1 + f($n + 1); } f(0);",
)
BASH = Programs(
    hello='read -r name\necho "hello $name"',
    several=("source ./helper.sh\ntwice 21", {"helper.sh": "twice() { echo $((2 * $1)); }"}),
    fails="exit 3",
    crashes="set -e\nfalse",
    broken="if; then",
    spins="while :; do :; done",
    sleeps="sleep 60",
    grows="x=xxxxxxxx; while :; do x+=$x; done",
    huge="printf -v x '%400000000s' ''",
    floods="while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
    unicode='read -r name\necho "é $name ${#name}"',
    total="paste -sd+ | sed 's/+/ + /g' | awk '{ for (i = 1; i <= NF; i += 2) t += $i; printf \"%d\\n\", t }'",
    deep="f() { if (($1 > 0)); then f $(($1 - 1)); else echo deep; fi; }; f 1000",
    depth=1000,
    endless=None,  # it takes longer than any time limit to reach the end of its stack
)
SQL = Programs(
    hello="select 'hello ' || word from given;",
    several=None,
    fails="select * from missing;",
    fails_with=1,
    crashes="insert into given values (1, 2, 3, 4);",
    broken="selec 1;",
    spins="with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c;",
    sleeps=None,
    grows="create table kept as with recursive c(x) as (select 1 union all select x + 1 from c) "
    "select randomblob(1000) from c;",
    huge="select length(randomblob(900000000));",
    floods="with recursive c(x) as (select 1 union all select x + 1 from c) select 'xxxxxxxxxxxxxxxxxxxx' from c;",
    unicode="select 'é ' || word || ' ' || length(word) from given;",
    total="select sum(word) from given;",
    deep=None,
    endless=None,
    given=lambda words: (
        "create table given(word); insert into given values "
        + ", ".join(f"('{word}')" for word in words.split() or ["nothing"])
        + ";"
    ).encode(),
)
