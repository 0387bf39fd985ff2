# The agent knows openai-java and AWS Bedrock by itself.
mvn dependency:copy -Dartifact=io.opentelemetry.javaagent:opentelemetry-javaagent:2.33.1 -DoutputDirectory=.
java -javaagent:opentelemetry-javaagent-2.33.1.jar -jar app.jar
