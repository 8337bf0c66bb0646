import { Duration } from "aws-cdk-lib";
import type { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { BucketEvents } from "./bucket-events.ts";

/** What is watched. */
export interface AlarmsProps {
  lambda: LambdaFunction;
  http: HttpApi;
  events: BucketEvents | undefined;
  valkeyNodes: string[];
  /** The ARN of the SNS topic that hears of alarms; without it they are only shown. */
  topic: string | undefined;
}

/** Which value is too much, for how many minutes in a row. */
interface Limit {
  above: number;
  minutes: number;
}

const MINUTE = Duration.minutes(1);

/** Tells of what somebody has to do something about. */
export class Alarms extends Construct {
  readonly #topic: ReturnType<typeof Topic.fromTopicArn> | undefined;

  constructor(scope: Construct, id: string, { lambda, http, events, valkeyNodes, topic }: AlarmsProps) {
    super(scope, id);
    this.#topic = topic === undefined ? undefined : Topic.fromTopicArn(this, "Topic", topic);
    const sum = { period: MINUTE, statistic: "Sum" };
    const most = { period: MINUTE, statistic: "Maximum" };

    this.#add("ApiErrors", lambda.metricErrors(sum), "The function failed or ran out of time: see its log.", {
      above: 0,
      minutes: 3,
    });
    this.#add(
      "ApiThrottles",
      lambda.metricThrottles(sum),
      "Requests were refused: raise reservedConcurrency.",
      {
        above: 0,
        minutes: 3,
      },
    );
    this.#add(
      "ServerErrors",
      http.metricServerError(sum),
      "Requests were answered 5xx: Valkey or S3 may be away.",
      {
        above: 5,
        minutes: 3,
      },
    );
    if (events !== undefined) {
      const { failed, queue } = events;
      this.#add(
        "EventsGivenUp",
        failed.metricApproximateNumberOfMessagesVisible(most),
        "Bucket events were given up: redrive the queue, or start runs.",
        {
          above: 0,
          minutes: 1,
        },
      );
      this.#add(
        "EventsLate",
        queue.metricApproximateAgeOfOldestMessage(most),
        "Bucket events are not taken for 15 minutes.",
        {
          above: 900,
          minutes: 5,
        },
      );
    }
    valkeyNodes.forEach((node, index) => this.#watchNode(`Valkey${index + 1}`, node));
  }

  #watchNode(name: string, CacheClusterId: string): void {
    const metric = (metricName: string, statistic: "Maximum" | "Sum") =>
      new Metric({
        namespace: "AWS/ElastiCache",
        metricName,
        dimensionsMap: { CacheClusterId },
        period: MINUTE,
        statistic,
      });
    this.#add(
      `${name}Memory`,
      metric("DatabaseMemoryUsagePercentage", "Maximum"),
      "Valkey fills up, and takes nothing more when it is full: take larger nodes.",
      {
        above: 75,
        minutes: 5,
      },
    );
    this.#add(
      `${name}Evictions`,
      metric("Evictions", "Sum"),
      "Valkey dropped accepted work: its maxmemory-policy is not noeviction.",
      {
        above: 0,
        minutes: 1,
      },
    );
    this.#add(
      `${name}Engine`,
      metric("EngineCPUUtilization", "Maximum"),
      "Valkey has hardly any time left: its one thread is the limit.",
      {
        above: 80,
        minutes: 10,
      },
    );
    this.#add(
      `${name}Lag`,
      metric("ReplicationLag", "Maximum"),
      "The replica is seconds behind: they are lost if the primary is.",
      {
        above: 5,
        minutes: 5,
      },
    );
  }

  #add(name: string, metric: IMetric, alarmDescription: string, { above, minutes }: Limit): void {
    const alarm = new Alarm(this, name, {
      metric,
      alarmDescription,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: minutes,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic !== undefined) alarm.addAlarmAction(new SnsAction(this.#topic));
  }
}
