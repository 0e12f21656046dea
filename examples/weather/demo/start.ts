// Starts imitations of both APIs, and the service that calls them.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startUpstreams } from './upstreams.ts'

const origins = await startUpstreams()
const headwaters = fileURLToPath(new URL('dist/bin.cjs', import.meta.resolve('headwaters/package.json')))
const aggregates = fileURLToPath(new URL('../aggregates', import.meta.url))
const service = spawn(process.execPath, [headwaters, 'serve', aggregates, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    HEADWATERS_UPSTREAM_GEO_ORIGIN: origins.geo,
    HEADWATERS_UPSTREAM_WEATHER_ORIGIN: origins.weather,
    ...process.env,
  },
})
// On a terminal, Ctrl-C reaches the service without this process. The service ends its runs before it exits.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => service.kill('SIGTERM'))
service.on('exit', code => process.exit(code ?? 1))
