// id: S-10
// title: stops and kills all it can reach, ignores what would end it, and waits
// stage: run
// verdicts: time_limit_exceeded
// canaries: C3 C5 C7 C8
// wall_limit_ms: 1000
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGXCPU', 'SIGUSR2']) process.on(name, () => { });
for (const pid of [-1, 1, process.ppid, @ENGINE_PID@])
  for (const name of ['SIGSTOP', 'SIGKILL', 'SIGTERM']) try { process.kill(pid, name); } catch { }
setInterval(() => { }, 1000);
