import { hash, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasEnded, type BulkRun } from '../../bulk/bulk-run.ts'
import { Upload } from '../../bulk/upload.ts'
import { Problem } from '../../errors.ts'
import { inviteBody } from '../connection/unread-body.ts'
import { maxKeyLength } from './bulk-route.ts'
import type { BulkService } from './bulk-service.ts'
import { pathOf, runJson } from './run-json.ts'

/** The uploads in progress of each owner. They count as runs. */
const uploads = new WeakMap<BulkService, Map<string, number>>()

/** Creates a run of the lines of the body, and replies when all of them are stored. */
export async function createRun(service: BulkService, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { aggregate } = request.params as { readonly aggregate: string }
  if (!service.names.has(aggregate))
    throw new Problem('NOT_FOUND', { detail: 'The service has no aggregate with this name for bulk runs.' })
  const owner = service.ownerOf(request)
  const id = idOf(owner, request.headers['idempotency-key'])
  const earlier = await service.journal.find(owner, id)
  const release = await reserve(service, owner, earlier === undefined)
  try {
    const run = await store(service, request, { owner, id, aggregate })
    service.executor.wake(run.id)
    const { counts } = await service.resultsOf(run)
    void reply.code(202).header('location', pathOf(run)).header('cache-control', 'no-store')
    return runJson(run, counts)
  } finally {
    release()
  }
}

/** Returns the id of a run. It depends on the idempotency key only, so that a repeated request finds the same run. */
function idOf(owner: string, key: string | string[] | undefined): string {
  if (key === undefined) return randomBytes(16).toString('hex')
  if (typeof key !== 'string' || key === '' || key.length > maxKeyLength)
    throw new Problem('INPUT_INVALID', {
      detail: 'One part of the input cannot be read: see errors.',
      faults: [{ pointer: '/headers/idempotency-key', reason: `must have from 1 to ${maxKeyLength} characters` }],
    })
  return hash('sha256', `${owner} ${key}`).slice(0, 32)
}

/**
 * Reserves one of the runs that an owner may have. Returns a function that ends this.
 *
 * @param isNew False for the repetition of an earlier creation, which counts as an upload only.
 */
async function reserve(service: BulkService, owner: string, isNew: boolean): Promise<() => void> {
  const { maxRuns } = service.settings
  let counts = uploads.get(service)
  if (counts === undefined) uploads.set(service, (counts = new Map()))
  const own = counts
  const change = (by: number) => own.set(owner, (own.get(owner) ?? 0) + by)
  change(1)
  try {
    const open = isNew ? (await service.journal.runsOf(owner)).filter(run => !hasEnded(run)).length : 0
    if (open + (own.get(owner) as number) <= maxRuns) return () => change(-1)
    throw new Problem('QUOTA_EXCEEDED', {
      detail: `The caller has ${maxRuns} bulk runs that have not ended, which is the most: wait, or cancel one.`,
    })
  } catch (error) {
    change(-1)
    throw error
  }
}

async function store(
  service: BulkService,
  request: FastifyRequest,
  described: Pick<BulkRun, 'owner' | 'id' | 'aggregate'>,
): Promise<BulkRun> {
  const { journal, settings } = service
  const upload = new Upload(journal.store, journal.newUpload(), settings)
  const digest = await receive(request, upload, settings.maxBytes).catch(async (error: unknown) => {
    // The failure of the request is the one to report. The sweep removes what stays.
    await upload.remove().catch(() => {})
    throw error
  })
  const { retention } = settings
  const run = await journal.create({ ...described, items: upload.items, upload: upload.name, digest, retention })
  if (run.upload === upload.name) {
    request.log.info({ bulk: run.id, aggregate: run.aggregate, items: run.items }, 'bulk run created')
    return run
  }
  await upload.remove()
  if (run.digest !== digest || run.aggregate !== described.aggregate)
    throw new Problem('IDEMPOTENCY_KEY_REUSED', {
      detail: 'This idempotency key belongs to a bulk run with other inputs: send another key.',
    })
  return run
}

/** Stores the body. Returns the digest of its lines. */
async function receive({ raw }: FastifyRequest, upload: Upload, maxBytes: number): Promise<string> {
  if (Number(raw.headers['content-length'] ?? 0) > maxBytes)
    throw new Problem('PAYLOAD_TOO_LARGE', { detail: `The inputs have more than ${maxBytes} bytes.` })
  inviteBody(raw)
  // The connection must stay open after a refusal, so that the problem can be sent.
  for await (const bytes of raw.iterator({ destroyOnReturn: false })) await upload.add(bytes as Buffer)
  return upload.finish()
}
