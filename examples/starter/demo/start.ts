// Starts the demo upstream and the service that calls it. In production, `npm run serve` starts the service alone.
import { spawn } from 'node:child_process'
import { startUpstream } from './upstream.ts'

const headwaters = 'node_modules/headwaters/dist/bin.cjs'
const service = spawn(process.execPath, [headwaters, 'serve', 'aggregates', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { HEADWATERS_UPSTREAM_LIBRARY_ORIGIN: await startUpstream(), ...process.env },
})
// On a terminal, Ctrl-C reaches the service without this process. The service ends its runs before it exits.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => service.kill('SIGTERM'))
service.on('exit', code => process.exit(code ?? 1))
