import { main } from './commands/main.ts'

const code = await main(process.argv.slice(2))
// Timers or sockets of the definitions may keep the process alive, so it exits explicitly after stdout and stderr are
// flushed.
if (code !== undefined) process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
