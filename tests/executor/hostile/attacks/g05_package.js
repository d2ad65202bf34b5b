// id: G-05
// title: a package file and modules that would change what the judge's program means
// stage: run
// verdicts: runtime_error
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
// files: package.json={"type": "module", "main": "fs.js"}; fs.js=process.exit(0); vm.js=process.exit(0); node.config.json={"nodeOptions": {"import": "./fs.js"}}
const solve = (n) => 42;
