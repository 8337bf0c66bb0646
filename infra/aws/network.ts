import {
  GatewayVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { IVpc } from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";

/** Port of Valkey. */
export const VALKEY_PORT = 6379;

/**
 * Where everything is: Valkey and the API in subnets without a way out, workers in subnets with one, since callbacks and
 * images by their URL are anywhere on the internet. Traffic with S3 goes by a gateway, which costs nothing, and not by the NAT.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly api: SecurityGroup;
  readonly workers: SecurityGroup;
  readonly valkey: SecurityGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // Named since the CDK was not compiled with exactOptionalPropertyTypes.
    this.vpc = new Vpc(this, "Vpc", {
      maxAzs: 2,
      // One for both zones: what cannot leave while its zone is away is tried again, callbacks for three days.
      natGateways: 1,
      subnetConfiguration: [
        { name: "public", subnetType: SubnetType.PUBLIC, cidrMask: 24 },
        { name: "workers", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 18 },
        { name: "inside", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    }) as IVpc;
    const group = (name: string, description: string, allowAllOutbound: boolean) =>
      new SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound });
    this.valkey = group("Valkey", "Valkey of Tresline", false);
    this.api = group("Api", "The API of Tresline", false);
    this.workers = group("Workers", "Workers of Tresline: give it to the nodes or pods that run them", true);
    this.api.addEgressRule(Peer.anyIpv4(), Port.tcp(443), "S3, by the gateway: there is no other way out");
    this.api.addEgressRule(this.valkey, Port.tcp(VALKEY_PORT), "Valkey");
    for (const client of [this.api, this.workers])
      this.valkey.addIngressRule(client, Port.tcp(VALKEY_PORT), "Tresline");
  }
}
