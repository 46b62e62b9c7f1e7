import { S3_CREDENTIALS } from '../s3/s3-credentials'
import type { SupervisorConfig } from './config'
import { hostOf, type Ports } from './ports'

export interface PartAddresses {
  readonly databaseUrl: string
  readonly s3Endpoint: string
  readonly ports: Ports
  readonly dataFolder: string
}

function without(
  environment: NodeJS.ProcessEnv,
  unwanted: (name: string) => boolean,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !unwanted(name)))
}

/** The environment that every program of the product gets: ours, with what was found out in its place. */
export function partEnvironment(
  environment: NodeJS.ProcessEnv,
  config: SupervisorConfig,
  found: PartAddresses,
): NodeJS.ProcessEnv {
  const { ports } = found
  const at = (port: number): string => `http://127.0.0.1:${port}`
  // Only the preparation gets the key, which keeps it.
  const rest = without(environment, (name) => name === 'BILLTRAIL_ADMIN_KEY')
  return {
    // A profile or a session of the person's own account would win over the embedded server's credentials.
    ...(config.S3_ENDPOINT === undefined
      ? {
          ...without(rest, (name) => name.startsWith('AWS_')),
          AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
          AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
        }
      : rest),
    // Each service would say at each start that the client will want a newer Node next year.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    BILLTRAIL_SUPERVISED: '1',
    BILLTRAIL_DATA_DIR: found.dataFolder,
    BILLTRAIL_ORGANIZATION_SLUG: config.BILLTRAIL_ORGANIZATION_SLUG,
    HOST: hostOf('INGEST_PORT', config),
    LOG_LEVEL: config.LOG_LEVEL,
    DATABASE_URL: found.databaseUrl,
    S3_ENDPOINT: found.s3Endpoint,
    S3_REGION: config.S3_REGION,
    BILLABLE_BUCKET: config.BILLABLE_BUCKET,
    BILLING_INTERVAL_SECONDS: String(config.BILLING_INTERVAL_SECONDS),
    BILLING_GRACE_HOURS: String(config.BILLING_GRACE_HOURS),
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    INGEST_URL: at(ports.INGEST_PORT),
    USAGE_URL: at(ports.USAGE_PORT),
    BILLING_URL: at(ports.BILLING_PORT),
    INVOICE_URL: at(ports.INVOICE_PORT),
  }
}

/**
 * For ingest-api, which reads and writes much that lives for a moment: with 4 MB of new objects instead of 16 node
 * collects them, and the buffers they hold, before these are many. Eight uploads at once take 30 MiB less and no longer.
 */
export const INGEST_NODE_OPTIONS = '--max-semi-space-size=4'

/** The same environment with these options of node; what the person has set wins. */
export const withNodeOptions = (
  environment: NodeJS.ProcessEnv,
  options: string,
): NodeJS.ProcessEnv => ({
  ...environment,
  NODE_OPTIONS: [options, environment['NODE_OPTIONS']].filter(Boolean).join(' '),
})
