// Starts an imitation of the shop's API, and the service that calls it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startUpstream } from './upstream.ts'

const headwaters = fileURLToPath(new URL('dist/bin.cjs', import.meta.resolve('headwaters/package.json')))
const aggregates = fileURLToPath(new URL('../aggregates', import.meta.url))
const service = spawn(process.execPath, [headwaters, 'serve', aggregates, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { HEADWATERS_UPSTREAM_SHOP_ORIGIN: await startUpstream(), ...process.env },
})
// On a terminal, Ctrl-C reaches the service without this process. The service ends its runs before it exits.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => service.kill('SIGTERM'))
service.on('exit', code => process.exit(code ?? 1))
