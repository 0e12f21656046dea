import { main } from './commands/main.ts'

const code = await main(process.argv.slice(2))
// Definitions may hold timers or sockets that would keep the process; what is written goes out first.
if (code !== undefined) process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
