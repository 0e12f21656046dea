import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { imageSection } from '../../tools/release-notes.ts'

const tools = join(import.meta.dirname, '../../tools/image')
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

/** Runs a script with a `docker` that answers each question with the digest, and returns its output and the calls. */
function runScript(t: Test, script: string, args: readonly string[]) {
  const folder = t.testdir({
    docker: `#!/bin/sh\necho "$*" >> "$0.calls"\ncase "$*" in *inspect*) echo '${digest}' ;; esac\n`,
  })
  chmodSync(join(folder, 'docker'), 0o755)
  const { status, stdout, stderr } = spawnSync(join(tools, script), args, {
    env: { PATH: `${folder}:/usr/bin:/bin`, GITHUB_SHA: 'abc' },
    encoding: 'utf8',
  })
  t.same({ status, stderr }, { status: 0, stderr: '' }, script)
  return { output: stdout.trim(), calls: readFileSync(join(folder, 'docker.calls'), 'utf8').trim().split('\n') }
}

test('bases.sh prints each base of the Dockerfile with the digest of its tag', async t => {
  const { output } = runScript(t, 'bases.sh', [])
  const bases = output.split(' ')
  t.equal(bases.length, 2)
  t.match(bases[0], new RegExp(`^NODE_IMAGE=docker\\.io/library/node:[\\d.]+-bookworm-slim@${digest}$`))
  t.match(bases[1], new RegExp(`^RUN_IMAGE=gcr\\.io/distroless/cc-debian12:nonroot@${digest}$`))
  t.equal(imageSection(`name:1@${digest}`, output).match(/^- Base: /gm)?.length, 2, 'the release notes take the line')
})

test('publish.sh builds one platform from these bases, with an SBOM and the provenance', async t => {
  const { calls } = runScript(t, 'publish.sh', ['r.example/o/n', '0.2.0', 'linux/arm64', 'NODE_IMAGE=a', 'RUN_IMAGE=b'])
  t.equal(calls.length, 1)
  for (const option of [
    'buildx build . --push --platform linux/arm64 --tag r.example/o/n:0.2.0-arm64 ',
    ' --build-arg=NODE_IMAGE=a --build-arg=RUN_IMAGE=b ',
    ' --sbom=true --provenance=mode=max ',
    ' --label org.opencontainers.image.revision=abc',
  ])
    t.ok(calls[0]?.includes(option), option)
})

test('join.sh gives the platforms one tag, and prints its digest', async t => {
  const { output, calls } = runScript(t, 'join.sh', ['r.example/o/n', '0.2.0'])
  t.equal(output, `r.example/o/n:0.2.0@${digest}`)
  t.equal(
    calls[0],
    'buildx imagetools create --tag r.example/o/n:0.2.0 r.example/o/n:0.2.0-amd64 r.example/o/n:0.2.0-arm64',
  )
})
