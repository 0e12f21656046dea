#!/usr/bin/env node
import { main } from './commands/main.ts'

// Whoever reads the output may have read enough, as `head` does; that is no fault.
process.stdout.on('error', error => process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1))

const code = await main(process.argv.slice(2))
// Definitions may hold timers or sockets that would keep the process; what is written goes out first.
if (code !== undefined) process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
