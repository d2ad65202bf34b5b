// id: S-13
// title: recurses without end, and recurses again from where it was caught
// stage: run
// verdicts: wrong_answer runtime_error memory_limit_exceeded
// canaries: C5 C8
function deeper() { try { return deeper() + 1; } catch { return 0; } }
console.log(deeper() < 0);
