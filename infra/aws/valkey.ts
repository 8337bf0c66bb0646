import { Names, RemovalPolicy } from "aws-cdk-lib";
import { SubnetType } from "aws-cdk-lib/aws-ec2";
import {
  CfnParameterGroup,
  CfnReplicationGroup,
  CfnSubnetGroup,
  CfnUser,
  CfnUserGroup,
} from "aws-cdk-lib/aws-elasticache";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { VALKEY_PORT } from "./network.ts";
import type { Network } from "./network.ts";

/** What the user may do: the rights that docs/redis.md gives to Tresline. */
const ACCESS = "on ~{tresline}:* &{tresline}:* +@all -@dangerous +info +client|list";

/** A primary and a replica, each in a zone of its own. */
const NODES = 2;

/**
 * Valkey as Tresline needs it, on nodes: ElastiCache Serverless evicts keys and cannot be told not to. ElastiCache keeps no
 * append-only file, so the replica is what stands between a lost node and lost work (docs/aws.md).
 */
export class Valkey extends Construct {
  readonly host: string;
  readonly password: Secret;
  /** The ids of the nodes, as their metrics have them. */
  readonly nodes: string[];

  constructor(scope: Construct, id: string, props: { network: Network; nodeType: string }) {
    super(scope, id);
    this.password = new Secret(this, "Password", {
      description: "The password of Tresline's user of Valkey",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    const name = Names.uniqueResourceName(this, { maxLength: 40, separator: "-" }).toLowerCase();
    // A group may have to have a user of this name: it is Tresline's own, so that there is no other.
    const user = new CfnUser(this, "User", {
      engine: "valkey",
      userId: name,
      userName: "default",
      accessString: ACCESS,
      authenticationMode: { Type: "password", Passwords: [this.password.secretValue.unsafeUnwrap()] },
    });
    const users = new CfnUserGroup(this, "Users", {
      engine: "valkey",
      userGroupId: name,
      userIds: [user.ref],
    });
    const parameters = new CfnParameterGroup(this, "Parameters", {
      cacheParameterGroupFamily: "valkey8",
      description: "Nothing that was accepted is evicted",
      properties: { "maxmemory-policy": "noeviction" },
    });
    const { vpc, valkey } = props.network;
    const subnets = new CfnSubnetGroup(this, "Subnets", {
      description: "Subnets without a way out",
      subnetIds: vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED }).subnetIds,
    });
    const group = new CfnReplicationGroup(this, "Group", {
      replicationGroupDescription: "Queues and state of Tresline",
      engine: "valkey",
      engineVersion: "8.2",
      cacheNodeType: props.nodeType,
      numCacheClusters: NODES,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      port: VALKEY_PORT,
      transitEncryptionEnabled: true,
      atRestEncryptionEnabled: true,
      userGroupIds: [users.ref],
      cacheParameterGroupName: parameters.ref,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [valkey.securityGroupId],
      snapshotRetentionLimit: 7,
    });
    group.applyRemovalPolicy(RemovalPolicy.SNAPSHOT);
    this.host = group.attrPrimaryEndPointAddress;
    this.nodes = Array.from({ length: NODES }, (_, index) => `${group.ref}-00${index + 1}`);
  }

  /** `REDIS_URL` with `password` in it, which needs no encoding. */
  url(password: string): string {
    return `rediss://default:${password}@${this.host}:${VALKEY_PORT}`;
  }
}
