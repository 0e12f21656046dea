// Starts the imitation of GitHub and the service that calls it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startGitHub } from './upstream.ts'

const github = await startGitHub()
github.fail('/repos/lakes/shore/languages')

const headwaters = fileURLToPath(new URL('dist/bin.cjs', import.meta.resolve('headwaters/package.json')))
const aggregates = fileURLToPath(new URL('../aggregates/', import.meta.url))
const service = spawn(process.execPath, [headwaters, 'serve', aggregates, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { HEADWATERS_UPSTREAM_GITHUB_ORIGIN: github.origin, ...process.env },
})
// On a terminal, Ctrl-C reaches the service without this process. The service ends its runs before it exits.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => service.kill('SIGTERM'))
service.on('exit', code => process.exit(code ?? 1))
